//! Mail as it is handed to a server: rows S53 and S55 of `docs/security.md`.

#![cfg(feature = "smtp")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod injection;
mod logs;
mod server;
#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;
mod tls;
mod trust;
