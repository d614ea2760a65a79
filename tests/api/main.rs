//! Tests through the public API: a layer in front of a service, requests in, responses out.
//!
//! One binary, one file per subject. Names that begin with `sNN_` prove that row of `docs/security.md`.

mod dialects;
#[cfg(feature = "axum")]
mod extractors;
mod layer;
mod support;
