//! gRPC over real sockets: a Tonic server behind the layer, the Tonic client and raw HTTP/2 in front of it. Row S80 of
//! `docs/security.md`.

#![cfg(feature = "tonic")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod guards;
mod sessions;
mod streams;
mod support;
mod web;
