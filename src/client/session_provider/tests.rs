//! A provider at servers whose times are odd, by a clock of the test's own.

use std::{
    future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};

use super::*;
use crate::clock::{Clock, Timestamp};

/// Milliseconds since 1970. Whoever has slept has set it on, if that was for less than an hour.
#[derive(Debug, Clone)]
struct Hand(Arc<AtomicI64>);

const NOON: i64 = 1_768_478_400_000;
const HOUR: i64 = 60 * 60 * 1000;

impl Hand {
    fn at_noon() -> Self {
        Self(Arc::new(AtomicI64::new(NOON)))
    }

    fn millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for Hand {
    fn now(&self) -> SystemTime {
        Timestamp::from_millis(self.millis()).into()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        if millis >= HOUR {
            return Box::pin(future::pending());
        }
        let now = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::task::yield_now().await;
            now.fetch_add(millis, Ordering::SeqCst);
        })
    }
}

/// A client of a server whose sessions end so many milliseconds after they are read; and how often they were.
fn client(clock: &Hand, lifetime: i64) -> (Client, Arc<AtomicUsize>) {
    let (reads, server_clock) = (Arc::new(AtomicUsize::new(0)), clock.clone());
    let counted = Arc::clone(&reads);
    let send = move |request: Request<Bytes>| {
        if request.uri().path().ends_with("/session") {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        // No two ends are the same, as no two reads are.
        let end = Timestamp::from_millis(
            server_clock.millis() + lifetime + counted.load(Ordering::SeqCst) as i64 % 2,
        );
        async move { Ok(Response::new(Bytes::from(format!(r#"{{"user":{{}},"expires":"{end}"}}"#)))) }
    };
    let client =
        Client::builder("http://localhost:3000").http_client(send).clock(clock.clone()).build().unwrap();
    (client, reads)
}

async fn run() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn sessions_that_end_at_once_are_asked_for_once_a_second() {
    let clock = Hand::at_noon();
    let (client, reads) = client(&clock, 1);
    let _provider = SessionProvider::builder(client).start().unwrap();
    run().await;
    let (reads, seconds) = (reads.load(Ordering::SeqCst) as i64, (clock.millis() - NOON) / 1000);
    assert!(reads > 10 && reads <= seconds + 2, "{reads} times in {seconds} seconds");
}

/// A clock that was a day ahead is set right: that is no day without a question.
#[tokio::test]
async fn a_clock_that_is_set_back_does_not_end_the_interval() {
    let clock = Hand::at_noon();
    let (client, reads) = client(&clock, 30 * 24 * HOUR);
    let provider = SessionProvider::builder(client).client_max_age(Duration::from_secs(60)).start().unwrap();
    run().await;
    clock.0.fetch_sub(24 * HOUR, Ordering::SeqCst);
    provider.focus().await;
    assert_eq!(reads.load(Ordering::SeqCst), 2);
}
