//! Tests through the public API: a layer in front of a service, requests in, responses out.
//!
//! One binary, one file per subject. Names that begin with `sNN_` prove that row of `docs/security.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod cookies;
mod csrf;
mod dialects;
#[cfg(feature = "axum")]
mod extractors;
#[cfg(feature = "oauth")]
#[path = "../database/gate.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod gate;
mod guards;
mod layer;
mod logs;
mod pages;
#[cfg(feature = "oauth")]
mod presets;
#[cfg(feature = "_jws")]
mod public_keys;
mod robustness;
mod routing;
mod sessions;
mod support;
mod verifier;
mod wire;
mod work;
