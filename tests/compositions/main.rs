//! The layer in the stacks that people build: each over a real socket, each with the same visit.
//!
//! To add a composition, add a row to a table: what it is called, and how its server starts.
//! `docs/compositions.md` says what the tables prove.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod client;
mod composition;
mod server;
mod site;
#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;
mod visit;

#[cfg(feature = "axum")]
mod axum;
mod bodies;
mod hyper;
mod middleware;
mod tower_http;
mod websocket;
