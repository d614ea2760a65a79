//! Databases that are shared with Node: the npm adapters (`tests/adapters/peer.mjs`) and our stores work on the
//! same tables and keys. Each reads, continues and ends what the other has written, for every method of the adapter
//! contract (`docs/protocol.md` section 17.1).
//!
//! Needs Node, the packages of `tests/adapters` (`scripts/test setup`) and the servers of `scripts/with-services`.
//! What is missing is said aloud, and is a failure with `PORTCULLIS_REQUIRE_NODE` or
//! `PORTCULLIS_REQUIRE_SERVICES=1`, as `scripts/test` sets them.

#![cfg(any(feature = "postgres", feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod contract;
mod peer;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[allow(dead_code, reason = "shared with other tests, which use all of it")]
#[path = "../services/server.rs"]
mod server;
