//! The client of this crate against servers: our demo in each dialect, next-auth 3 and 4, and `@auth/core`, as programs
//! of their own and over sockets, with the HTTP client that is there unless another one is set. Each server has to pass
//! the same [`CASES`], by a client that was told the dialect and by one that has to find it out.
//!
//! The servers of npm need Node and the packages of `tests/node`. Where they are missing their tests say so and test
//! nothing, unless `PORTCULLIS_REQUIRE_NODE=1` is set (as `scripts/test` does): then they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod browser;
mod credentials;
mod links;
mod mail;
mod native;
mod programs;
mod provider;
mod reads;
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
mod sessions;
mod site;
mod visit;

use std::{any::Any, future::Future, pin::Pin, sync::Arc, time::Duration};

use portcullis::Dialect;
use tokio::time::timeout;

use crate::{
    site::{Server, Site},
    visit::Visit,
};

type Case = fn(Visit) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! cases {
    ($($area:ident: $($case:ident),+;)+) => {
        &[$($((
            concat!(stringify!($area), "::", stringify!($case)),
            (|visit| Box::pin($area::$case(visit))) as Case,
        )),+),+]
    };
}

const CASES: &[(&str, Case)] = cases! {
    reads: csrf_token, providers, nobody, visitors;
    credentials: no_provider, wrong, right, session, goals;
    sessions: update, sign_out, kept_in_a_file, no_session, provider, at_once, overtaken, cookies_lost, large;
    mail: link, stale_link;
    links: provider_and_back, authorization_params, refused_by_the_provider, profile_of_no_use, of_another_visitor;
    native: signs_in, stray_requests, refused, time_limit, not_begun;
};

#[tokio::test]
async fn demo_v3() {
    all(Server::Demo(Dialect::V3)).await;
}

#[tokio::test]
async fn demo_v4() {
    all(Server::Demo(Dialect::V4)).await;
}

#[tokio::test]
async fn demo_v5() {
    all(Server::Demo(Dialect::V5)).await;
}

#[tokio::test]
async fn next_auth_3() {
    all(Server::Npm(Dialect::V3)).await;
}

#[tokio::test]
async fn next_auth_4() {
    all(Server::Npm(Dialect::V4)).await;
}

#[tokio::test]
async fn auth_core() {
    all(Server::Npm(Dialect::V5)).await;
}

/// Tries every case, so that one which fails does not hide another.
async fn all(server: Server) {
    let Some(site) = Site::start(server).await.map(Arc::new) else { return };
    let mut failures = Vec::new();
    for is_told in [true, false] {
        for (name, case) in CASES {
            let visit = Visit { site: Arc::clone(&site), is_told };
            let ended = timeout(Duration::from_secs(60), tokio::spawn(case(visit))).await;
            let why = match ended {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.try_into_panic().map_or("it was cancelled".to_owned(), text),
                Err(_) => "it did not end".to_owned(),
            };
            let told = if is_told { "told the dialect" } else { "not told the dialect" };
            failures.push(format!("{name}, {told}: {why}"));
        }
    }
    assert!(failures.is_empty(), "{server:?}:\n{}", failures.join("\n"));
}

fn text(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
