//! Axum: the ways of putting a router together, and what a layer sees in each.

mod from_fn;
mod sse;
mod websocket;

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    error_handling::HandleErrorLayer,
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use http_body_util::Full;
use portcullis::{AuthLayer, BoxError, RequireAuth, Session};
use tower::{Layer, ServiceBuilder, buffer::Buffer};
use tower_http::{
    compression::CompressionLayer, cors::CorsLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer,
    trace::TraceLayer,
};

use crate::{
    client::browser,
    composition::{Composition, HTTP1, auth, row, visit_all},
    server::{self, serve},
    site::{show, site},
    support::{DAY, ManualClock, NOW},
    visit::SESSION,
};

async fn page(session: Option<Session>, headers: HeaderMap) -> Response<Full<Bytes>> {
    show(session.as_ref().map_or("nobody", Session::subject), &headers)
}

/// The site in Axum's words. The guard stands at its route.
fn pages() -> Router {
    Router::new()
        .route("/page", get(page))
        .route("/guarded", get(page).layer(RequireAuth::signed_in()))
        .route("/echo", post(async |body: Bytes| body))
}

/// `axum::serve`, in the place of hyper.
fn axum_serve(router: Router) -> SocketAddr {
    let (address, listener) = server::listen();
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    address
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(60))
}

async fn unavailable(_: BoxError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

const TABLE: &[Composition] = &[
    row("Router::layer, axum::serve", |auth| axum_serve(pages().layer(AuthLayer::new(auth)))).speaks(HTTP1),
    row("Router::layer, hyper", |auth| serve(pages().layer(AuthLayer::new(auth)))),
    row("around the whole Router", |auth| serve(AuthLayer::new(auth).layer(pages()))),
    row("around a Router behind a Buffer", |auth| serve(AuthLayer::new(auth).layer(Buffer::new(pages(), 8)))),
    row("Router::route_layer for the guard", |auth| {
        let guarded = Router::new().route("/guarded", get(page)).route_layer(RequireAuth::signed_in());
        let open = Router::new().route("/page", get(page)).route("/echo", post(async |body: Bytes| body));
        serve(open.merge(guarded).layer(AuthLayer::new(auth)))
    }),
    row("Router::route_layer for the layer, with a route for the endpoints", |auth| {
        let endpoints = any(async || StatusCode::NOT_FOUND);
        serve(pages().route("/api/auth/{*rest}", endpoints).route_layer(AuthLayer::new(auth)))
    }),
    row("Router::nest, the guard inside", |auth| {
        serve(Router::new().nest("/shop", pages()).layer(AuthLayer::new(auth)))
    })
    .under("/shop"),
    row("Router::nest, the guard around it", |auth| {
        let guarded = Router::new().route("/guarded", get(page));
        let guarded = RequireAuth::signed_in().layer(Router::new().nest("/shop", guarded));
        let router = Router::new().nest("/shop", Router::new().route("/page", get(page)));
        let router = router.route("/shop/echo", post(async |body: Bytes| body));
        serve(router.fallback_service(guarded).layer(AuthLayer::new(auth)))
    })
    .under("/shop"),
    row("Router::nest in a nest, with a parameter", |auth| {
        let inner = Router::new().nest("/{shop}", pages());
        serve(Router::new().nest("/shops", inner).layer(AuthLayer::new(auth)))
    })
    .under("/shops/7"),
    row("Router::nest_service, the guard inside", |auth| {
        serve(Router::new().nest_service("/shop", site()).layer(AuthLayer::new(auth)))
    })
    .under("/shop"),
    row("Router::merge", |auth| {
        let guarded = Router::new().route("/guarded", get(page)).layer(RequireAuth::signed_in());
        let open = Router::new().route("/page", get(page)).route("/echo", post(async |body: Bytes| body));
        serve(Router::new().merge(open).merge(guarded).layer(AuthLayer::new(auth)))
    }),
    row("Router::fallback", |auth| {
        let guarded = Router::new().route("/guarded", get(page).layer(RequireAuth::signed_in()));
        let echo = guarded.route("/echo", post(async |body: Bytes| body));
        serve(echo.fallback(page).layer(AuthLayer::new(auth)))
    }),
    row("Router::fallback_service", |auth| {
        serve(Router::new().fallback_service(site()).layer(AuthLayer::new(auth)))
    }),
    row("ServiceBuilder, several layers", |auth| {
        let stack = ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(timeout());
        let stack = stack.layer(CompressionLayer::new()).layer(RequestBodyLimitLayer::new(100_000));
        let stack = stack.layer(CorsLayer::permissive()).layer(AuthLayer::new(auth));
        axum_serve(pages().layer(stack))
    })
    .speaks(HTTP1),
    row("ServiceBuilder, the layer before the others", |auth| {
        let stack = ServiceBuilder::new().layer(AuthLayer::new(auth)).layer(TraceLayer::new_for_http());
        let stack = stack.layer(timeout()).layer(CompressionLayer::new());
        axum_serve(pages().layer(stack.layer(RequestBodyLimitLayer::new(100_000))))
    })
    .speaks(HTTP1),
    row("ServiceBuilder, layers that fail", |auth| {
        let stack = ServiceBuilder::new().layer(HandleErrorLayer::new(unavailable)).concurrency_limit(8);
        serve(pages().layer(stack.timeout(Duration::from_secs(60)).layer(AuthLayer::new(auth))))
    }),
    row("layers that fail inside of the layer", |auth| {
        let stack = ServiceBuilder::new().layer(AuthLayer::new(auth));
        let stack = stack.layer(HandleErrorLayer::new(unavailable)).concurrency_limit(8);
        serve(pages().layer(stack.timeout(Duration::from_secs(60))))
    }),
];

#[tokio::test]
async fn compositions() {
    visit_all(TABLE).await;
}

/// A layer at routes only, on one of two routers that are merged, or on one that is nested, is asked about
/// nothing else: not about the other routes, which then fail closed, and not always about the endpoints.
#[tokio::test]
async fn a_layer_covers_its_own_routes() {
    let clock = ManualClock::at(NOW);
    let layer = || AuthLayer::new(auth(&clock).build().unwrap());
    let mut elsewhere = browser(serve(pages().layer(layer())), Version::HTTP_11);
    elsewhere.sign_in("jsmith", "hunter2").await;
    let one = || Router::new().route("/page", get(page)).layer(layer());
    let two = || Router::new().route("/other", get(page).layer(RequireAuth::signed_in()));
    for (name, router, path, endpoints) in [
        ("at routes", pages().route_layer(layer()), "/page", StatusCode::NOT_FOUND),
        ("nested", Router::new().nest("/shop", one()), "/shop/page", StatusCode::NOT_FOUND),
        // The fallback, which is what answers for a path without a route, is that of the argument.
        ("merged with another", one().merge(two()), "/page", StatusCode::NOT_FOUND),
        ("merged into another", two().merge(one()), "/page", StatusCode::OK),
    ] {
        let mut browser = browser(serve(router), Version::HTTP_11);
        browser.jar = elsewhere.jar.clone();
        assert_eq!(browser.get(path).await.header("x-who"), Some("1"), "{name}");
        assert_eq!(browser.get("/api/auth/session").await.status, endpoints, "{name}");
        if name.starts_with("merged") {
            let answer = browser.get("/other").await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{name}");
            assert_eq!(answer.json()["error"], "MissingAuthLayer", "{name}");
        }
    }
}

/// A handler that says its response may be kept is overruled when the response carries a session.
#[tokio::test]
async fn responses_with_a_session_are_not_cached() {
    let clock = ManualClock::at(NOW);
    let cached = async || -> Result<_, Infallible> {
        let mut response = Response::new(Body::from("the same for everybody"));
        response.headers_mut().insert("cache-control", HeaderValue::from_static("public, max-age=3600"));
        Ok(response)
    };
    let router = Router::new().route("/page", get(cached));
    let mut browser =
        browser(serve(router.layer(AuthLayer::new(auth(&clock).build().unwrap()))), Version::HTTP_2);
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.get("/page").await.header("cache-control"), Some("public, max-age=3600"));
    clock.advance(DAY);
    let renewed = browser.get("/page").await;
    assert!(renewed.cookie(SESSION).is_some());
    assert_eq!(renewed.header("cache-control"), Some("private, no-cache, no-store"));
}
