//! Sign-in at a provider of ours that breaks as it is told to: on a socket, and through the whole flow.
//!
//! To add a fault, add a row to a table: what it is called, and what the provider does. Names that begin with `sNN_`
//! prove that row of `docs/security.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod accounts;
mod acts;
mod answers;
mod authorization;
mod certified;
#[path = "../compositions/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
mod client_authentication;
mod discovery;
mod form_post;
#[path = "../database/gate.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod gate;
mod id_tokens;
mod keys;
mod linking;
mod logout;
mod logs;
mod native;
#[cfg(feature = "client")]
mod native_client;
mod packages;
mod provider;
mod remedies;
#[path = "../compositions/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
mod site;
mod states;
#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;
mod tabs;
mod time;
mod token_endpoint;
mod userinfo;
