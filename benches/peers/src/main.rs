//! The same requests through our stack and through that of axum-login and tower-sessions, taking turns in one process.
//!
//! See README.md. Nothing fails here: a time is no test.

mod ours;
mod theirs;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use axum::{Router, body::Body};
use http::{Request, StatusCode, header::COOKIE};
use tokio::runtime::{Builder, Runtime};
use tower::Service;

/// How many are signed in, each as somebody else.
const SESSIONS: usize = 1_000;
const BATCH: u32 = 50;
/// How long a row is measured.
const TIME: Duration = Duration::from_secs(3);

/// Where sessions and users are kept.
#[derive(Clone, Copy)]
enum Place {
    Memory,
    Sqlite,
    Redis,
}

impl Place {
    const ALL: [(Self, &str); 3] =
        [(Self::Memory, "memory"), (Self::Sqlite, "SQLite"), (Self::Redis, "Redis")];
}

/// A router with `/`, which says who is there, and `/guarded`, which only those may see who are signed in; and what
/// the browsers of those send.
struct Site {
    router: Router,
    cookies: Vec<String>,
    /// A cookie of the right name and length that was never handed out.
    garbage: String,
}

/// Where Redis is, and a folder for files.
struct Around {
    redis: Option<String>,
    folder: std::path::PathBuf,
}

fn main() {
    let folder = std::env::temp_dir().join(format!("portcullis-peers-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let around = Around { redis: std::env::var("TEST_REDIS_URL").ok(), folder };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    println!("{:<34} {:>12} {:>12}   ours : theirs", "row", "ours", "theirs");
    for (place, name) in Place::ALL {
        if matches!(place, Place::Redis) && around.redis.is_none() {
            println!("LEFT OUT: Redis: TEST_REDIS_URL is not set (scripts/with-services sets it)");
            continue;
        }
        let sites = runtime.block_on(async { [ours::site(place, &around).await, theirs::site(place, &around).await] });
        compare(name, sites, &runtime);
    }
    std::fs::remove_dir_all(&around.folder).unwrap();
}

fn compare(place: &str, [ours, theirs]: [Site; 2], runtime: &Runtime) {
    let garbage = |site: &Site| vec![site.garbage.clone()];
    let good = |site: &Site| site.cookies.clone();
    let rows: [(&str, &str, fn(&Site) -> Vec<String>, StatusCode); 5] = [
        ("anonymous", "/", |_| Vec::new(), StatusCode::OK),
        ("signed in", "/", good, StatusCode::OK),
        ("garbage cookie", "/", garbage, StatusCode::OK),
        ("guard refuses", "/guarded", |_| Vec::new(), StatusCode::UNAUTHORIZED),
        ("guard passes", "/guarded", good, StatusCode::OK),
    ];
    for (name, path, cookies, expected) in rows {
        let mut traffic = [&ours, &theirs].map(|site| Traffic::new(&site.router, path, &cookies(site)));
        for traffic in &mut traffic {
            assert_eq!(runtime.block_on(traffic.send()), expected, "{place}, {name}");
        }
        let [ours, theirs] = fastest(&mut traffic, runtime);
        println!("{:<34} {ours:>9.0} ns {theirs:>9.0} ns   {:.2}", format!("{place}, {name}"), ours / theirs);
    }
}

/// Requests with one cookie after another.
struct Traffic {
    router: Router,
    path: &'static str,
    cookies: Vec<String>,
    next: usize,
}

impl Traffic {
    fn new(router: &Router, path: &'static str, cookies: &[String]) -> Self {
        Self { router: router.clone(), path, cookies: cookies.to_vec(), next: 0 }
    }

    async fn send(&mut self) -> StatusCode {
        let mut request = Request::get(self.path);
        if let Some(cookie) = self.cookies.get(self.next) {
            request = request.header(COOKIE, cookie);
            self.next = (self.next + 1) % self.cookies.len();
        }
        let request = request.body(Body::empty()).unwrap();
        let Ok(response) = self.router.call(request).await;
        black_box(response).status()
    }
}

/// Nanoseconds of each at its best.
fn fastest(traffic: &mut [Traffic; 2], runtime: &Runtime) -> [f64; 2] {
    let mut best = [f64::INFINITY; 2];
    let start = Instant::now();
    while start.elapsed() < TIME {
        for (traffic, best) in traffic.iter_mut().zip(&mut best) {
            let begun = Instant::now();
            runtime.block_on(async {
                for _ in 0..BATCH {
                    black_box(traffic.send().await);
                }
            });
            *best = best.min(begun.elapsed().as_nanos() as f64 / f64::from(BATCH));
        }
    }
    best
}
