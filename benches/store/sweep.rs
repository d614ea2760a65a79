//! Requests while expired rows are swept away.

use std::time::{Duration, Instant};

use http::StatusCode;
use portcullis::Auth;

use crate::{
    place::Size,
    traffic::{Cookies, Front, Traffic, traffic},
};

/// How many requests are timed beforehand, at most.
const BEFORE: usize = 20_000;

/// Prints how long requests take without a sweep and during one. Each has to be answered with its session.
pub async fn measure(name: &str, auth: &Auth, size: Size) {
    let mut traffic = traffic(Front::Guard(auth), &Cookies::of(size.live, size.live));
    let mut before = Times::default();
    while before.0.len() < BEFORE.min(size.expired) {
        before.time(&mut *traffic).await;
    }
    let sweep = tokio::spawn({
        let auth = auth.clone();
        async move {
            let (begun, removed) = (now(), auth.sweep().await.unwrap());
            (removed, begun.elapsed())
        }
    });
    let mut during = Times::default();
    while !sweep.is_finished() {
        during.time(&mut *traffic).await;
        // What is in memory is ready at once, and everybody else would wait.
        tokio::task::yield_now().await;
    }
    let (removed, took) = sweep.await.unwrap();
    println!("{name}, sweep of {removed} rows of {} in {:.1} s", size.expired, took.as_secs_f64());
    for (what, times) in [("before", before), ("during", during)] {
        println!("{name}, requests {what} the sweep: {}", times.summary());
    }
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    async fn time(&mut self, traffic: &mut dyn Traffic) {
        let begun = now();
        let status = traffic.send().await;
        self.0.push(begun.elapsed());
        assert_eq!(status, StatusCode::OK);
    }

    fn summary(mut self) -> String {
        self.0.sort_unstable();
        let at = |part: f64| {
            let index = ((self.0.len() as f64 * part) as usize).min(self.0.len().saturating_sub(1));
            self.0.get(index).map_or(f64::NAN, |time| time.as_nanos() as f64 / 1000.0)
        };
        let count = self.0.len();
        format!(
            "p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs, longest {:.0} µs, of {count}",
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        )
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the real clock")]
fn now() -> Instant {
    Instant::now()
}
