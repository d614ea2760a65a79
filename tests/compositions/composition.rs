//! A row of a table, and how tables are run.

use std::net::SocketAddr;

use http::Version;
use portcullis::{Auth, AuthBuilder, OriginPolicy};

use crate::{
    support::{ManualClock, NOW, ORIGIN, builder},
    visit,
};

/// The layer somewhere in a stack.
#[derive(Clone, Copy)]
pub struct Composition {
    pub name: &'static str,
    /// Starts a server with the site of `site.rs`, or one like it.
    pub start: fn(Auth) -> SocketAddr,
    /// The path in front of the site's own.
    pub under: &'static str,
    pub versions: &'static [Version],
    pub visitors: Visitors,
}

/// What is known of somebody who has not signed in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Visitors {
    /// That it is nobody.
    Nobody,
    /// Guards are called where they cannot see the layer: they refuse with 500.
    LostOnGuards,
}

pub const BOTH: &[Version] = &[Version::HTTP_11, Version::HTTP_2];
pub const HTTP1: &[Version] = &[Version::HTTP_11];
pub const HTTP2: &[Version] = &[Version::HTTP_2];

pub const fn row(name: &'static str, start: fn(Auth) -> SocketAddr) -> Composition {
    Composition { name, start, under: "", versions: BOTH, visitors: Visitors::Nobody }
}

impl Composition {
    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "only routers strip paths"))]
    pub const fn under(self, under: &'static str) -> Self {
        Self { under, ..self }
    }

    pub const fn speaks(self, versions: &'static [Version]) -> Self {
        Self { versions, ..self }
    }

    pub const fn visitors(self, visitors: Visitors) -> Self {
        Self { visitors, ..self }
    }
}

/// The usual configuration. It knows its origin by the host, so that a stack that loses it fails.
pub fn auth(clock: &ManualClock) -> AuthBuilder {
    builder(clock).origin(OriginPolicy::allow_list([ORIGIN]).unwrap())
}

/// Visits each composition with each version of HTTP that it speaks; says which of them failed.
pub async fn visit_all(table: &[Composition]) {
    let mut failed = Vec::new();
    for composition in table {
        for &version in composition.versions {
            let composition = *composition;
            let visit = tokio::spawn(async move {
                let clock = ManualClock::at(NOW);
                let address = (composition.start)(auth(&clock).build().unwrap());
                visit::visit(&composition, address, version, &clock).await;
            });
            if visit.await.is_err() {
                failed.push(format!("{}, {version:?}", composition.name));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
