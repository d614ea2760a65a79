//! Beside real Next.js applications (`v4` on next-auth 4, `v5` on Auth.js 5): who signs in at one side is known
//! to the other. Each test does the same at both sides and asks everyone after it: the site, a server of this
//! crate that signs in itself, and a verifier that has the secret alone, over HTTP and over gRPC.
//!
//! Needs Node and the built sites (`scripts/test setup`). Where they are missing these tests say so and test
//! nothing, unless `PORTCULLIS_REQUIRE_NODE` is set (as `scripts/test` does): then they fail.

#![cfg(all(feature = "axum", feature = "tonic"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod changes;
#[allow(dead_code, reason = "its own main")]
#[path = "../../examples/beside_nextjs.rs"]
mod example;
#[allow(missing_docs, clippy::all, clippy::disallowed_methods, dead_code, reason = "generated")]
#[path = "../../examples/proto/greeter.rs"]
mod greeter;
mod keys;
mod pair;
mod service;
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
mod sign_in;
mod site;
#[allow(dead_code, reason = "shared with tests/api, which uses all of it")]
#[path = "../api/support/mod.rs"]
mod support;
