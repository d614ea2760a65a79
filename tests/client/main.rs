//! The client API for Rust programs: what it sends, what it keeps, and what it says.
//!
//! `vectors` and `discovery` hold it against the npm clients, of which it is one more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod discovery;
mod failures;
#[path = "../database/gate.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod gate;
mod jar;
mod links;
mod native;
mod npm;
mod outage;
mod provider;
mod replies;
#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;
#[path = "../oauth/time.rs"]
mod time;
mod vectors;
