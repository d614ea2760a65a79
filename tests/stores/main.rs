//! Every store against the conformance kit, and the kit against stores that break their promises.
//!
//! A store is one line in the table below and one file that says how it is opened (`backend::Backend`). A line
//! like `sqlite shared,` says that several processes reach the same store: then they race for a token, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[cfg(feature = "conformance")]
mod backend;
#[cfg(feature = "conformance")]
mod broken;
#[cfg(feature = "conformance")]
mod file;
#[cfg(feature = "conformance")]
mod kit;
#[cfg(feature = "conformance")]
mod processes;
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;

#[cfg(not(feature = "conformance"))]
#[test]
fn says_what_it_leaves_out() {
    services::left_out("all stores: they are tested with --features conformance");
}

#[cfg(feature = "conformance")]
backend::stores! {
    #[cfg(feature = "cache")]
    cached,
    memory,
    #[cfg(feature = "metrics")]
    metered,
    #[cfg(feature = "mysql")]
    mysql shared,
    #[cfg(feature = "postgres")]
    postgres shared,
    #[cfg(feature = "redis")]
    redis shared,
    #[cfg(feature = "redis")]
    redis_cluster shared,
    #[cfg(feature = "redis")]
    redis_upstash shared,
    #[cfg(feature = "sqlite")]
    sqlite shared,
}
