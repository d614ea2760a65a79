//! Every store against the conformance kit, and the kit against stores that break their promises.
//!
//! A store is one line in the table below and one file that says how it is opened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(feature = "conformance")]

mod backend;
mod broken;
mod file;
mod kit;
mod processes;

backend::stores! {
    memory,
}
