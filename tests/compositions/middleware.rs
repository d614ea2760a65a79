//! Middleware of Tower, outside and inside of the layer.

use std::time::Duration;

use http::Request;
use portcullis::AuthLayer;
use tower::{
    Layer, ServiceBuilder, buffer::Buffer, limit::ConcurrencyLimit, steer::Steer, timeout::Timeout,
    util::BoxCloneSyncService,
};

use crate::{
    composition::{Composition, Visitors, row, visit_all},
    server::serve,
    site::site,
};

const MINUTE: Duration = Duration::from_secs(60);

/// To the second service for whatever is guarded.
fn by_path<B, S>(request: &Request<B>, _: &[S]) -> usize {
    usize::from(request.uri().path().ends_with("/guarded"))
}

const TABLE: &[Composition] = &[
    row("Steer, the layer outside", |auth| {
        serve(AuthLayer::new(auth).layer(Steer::new([site(), site()], by_path)))
    }),
    row("Steer, a layer in each branch", |auth| {
        let branch = || AuthLayer::new(auth.clone()).layer(site());
        serve(Steer::new([branch(), branch()], by_path))
    }),
    row("BoxCloneSyncService", |auth| serve(BoxCloneSyncService::new(AuthLayer::new(auth).layer(site())))),
    row("Buffer outside", |auth| serve(Buffer::new(AuthLayer::new(auth).layer(site()), 8))),
    row("Buffer inside", |auth| serve(AuthLayer::new(auth).layer(Buffer::new(site(), 8))))
        .visitors(Visitors::LostOnGuards),
    row("ConcurrencyLimit of one, outside", |auth| {
        serve(ConcurrencyLimit::new(AuthLayer::new(auth).layer(site()), 1))
    }),
    row("ConcurrencyLimit of one, inside", |auth| {
        serve(AuthLayer::new(auth).layer(ConcurrencyLimit::new(site(), 1)))
    }),
    row("Timeout outside", |auth| serve(Timeout::new(AuthLayer::new(auth).layer(site()), MINUTE))),
    row("Timeout inside", |auth| serve(AuthLayer::new(auth).layer(Timeout::new(site(), MINUTE)))),
    row("all of them around the layer, and inside of it", |auth| {
        let stack = ServiceBuilder::new().buffer(8).concurrency_limit(8).timeout(MINUTE);
        serve(stack.layer(AuthLayer::new(auth)).concurrency_limit(8).timeout(MINUTE).service(site()))
    }),
];

#[tokio::test]
async fn compositions() {
    visit_all(TABLE).await;
}
