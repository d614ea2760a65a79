//! Sessions in a store, seen from outside: through the layer, the endpoints and the handle of a request, on each
//! store. What a store has to do by itself is checked in `tests/stores`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

mod accounts;
mod faults;
mod life;
mod lists;
mod mail;
mod revocations;
mod site;
mod stores;
mod wire;
