//! The layers of tower-http, outside and inside of ours.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use portcullis::{Auth, AuthLayer};
use tower::{Layer, ServiceBuilder};
use tower_http::{
    compression::CompressionLayer,
    cors::CorsLayer,
    limit::RequestBodyLimitLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

use crate::{
    client::browser,
    composition::{Composition, auth, row, visit_all},
    server::serve,
    site::site,
    support::{Browser, DAY, ManualClock, NOW},
    visit::{SESSION, names},
};

type Start = fn(Auth) -> SocketAddr;

const LIMIT: usize = 100_000;

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(60))
}

/// The pages of a single-page application that lives on another origin.
const SPA: &str = "https://spa.example";

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(HeaderValue::from_static(SPA))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .allow_credentials(true)
}

fn cors_outside(auth: Auth) -> SocketAddr {
    serve(cors().layer(AuthLayer::new(auth).layer(site())))
}

fn cors_inside(auth: Auth) -> SocketAddr {
    serve(AuthLayer::new(auth).layer(cors().layer(site())))
}

fn compression_outside(auth: Auth) -> SocketAddr {
    serve(CompressionLayer::new().layer(AuthLayer::new(auth).layer(site())))
}

fn compression_inside(auth: Auth) -> SocketAddr {
    serve(AuthLayer::new(auth).layer(CompressionLayer::new().layer(site())))
}

fn limit_outside(auth: Auth) -> SocketAddr {
    serve(RequestBodyLimitLayer::new(LIMIT).layer(AuthLayer::new(auth).layer(site())))
}

fn limit_inside(auth: Auth) -> SocketAddr {
    serve(AuthLayer::new(auth).layer(RequestBodyLimitLayer::new(LIMIT).layer(site())))
}

fn ids() -> (SetRequestIdLayer<MakeRequestUuid>, PropagateRequestIdLayer) {
    (SetRequestIdLayer::x_request_id(MakeRequestUuid), PropagateRequestIdLayer::x_request_id())
}

fn ids_outside(auth: Auth) -> SocketAddr {
    serve(ids().layer(AuthLayer::new(auth).layer(site())))
}

fn ids_inside(auth: Auth) -> SocketAddr {
    serve(AuthLayer::new(auth).layer(ids().layer(site())))
}

const TABLE: &[Composition] = &[
    row("compression outside", compression_outside),
    row("compression inside", compression_inside),
    row("trace outside", |auth| serve(TraceLayer::new_for_http().layer(AuthLayer::new(auth).layer(site())))),
    row("trace inside", |auth| serve(AuthLayer::new(auth).layer(TraceLayer::new_for_http().layer(site())))),
    row("timeout outside", |auth| serve(timeout().layer(AuthLayer::new(auth).layer(site())))),
    row("timeout inside", |auth| serve(AuthLayer::new(auth).layer(timeout().layer(site())))),
    row("cors outside", cors_outside),
    row("cors inside", cors_inside),
    row("body limit outside", limit_outside),
    row("body limit inside", limit_inside),
    row("request id outside", ids_outside),
    row("request id inside", ids_inside),
    row("all of them outside", |auth| {
        let stack = ServiceBuilder::new().layer(ids()).layer(TraceLayer::new_for_http()).layer(timeout());
        let stack =
            stack.layer(cors()).layer(CompressionLayer::new()).layer(RequestBodyLimitLayer::new(LIMIT));
        serve(stack.layer(AuthLayer::new(auth)).service(site()))
    }),
    row("all of them inside", |auth| {
        let stack = ServiceBuilder::new().layer(AuthLayer::new(auth)).layer(ids());
        let stack = stack.layer(TraceLayer::new_for_http()).layer(timeout()).layer(cors());
        serve(stack.layer(CompressionLayer::new()).layer(RequestBodyLimitLayer::new(LIMIT)).service(site()))
    }),
];

#[tokio::test]
async fn compositions() {
    visit_all(TABLE).await;
}

async fn signed_in(start: Start) -> (Browser, ManualClock) {
    let clock = ManualClock::at(NOW);
    let mut browser = browser(start(auth(&clock).build().unwrap()), Version::HTTP_11);
    browser.sign_in("jsmith", "hunter2").await;
    assert!(browser.jar.contains_key(SESSION));
    (browser, clock)
}

/// What is compressed is what stands inside of the compression; the cookies stay what they are.
#[tokio::test]
async fn compressed_answers_keep_their_cookies() {
    let coding = header::CONTENT_ENCODING.as_str();
    for (start, endpoints) in
        [(compression_outside as Start, Some("gzip")), (compression_inside as Start, None)]
    {
        let (mut browser, clock) = signed_in(start).await;
        clock.advance(DAY);
        let page = browser.get("/page").await;
        assert_eq!(page.header(coding), Some("gzip"));
        assert_eq!(names(&page), ["visits", "theme", SESSION]);
        let session = browser.get("/api/auth/session").await;
        assert_eq!(session.header(coding), endpoints);
        assert_eq!(session.json()["user"]["name"], "J Smith");
        assert!(session.cookie(SESSION).is_some());
    }
}

/// `CorsLayer` outside answers for the endpoints too; inside it never sees them.
#[tokio::test]
async fn cors_for_pages_and_endpoints() {
    for (start, at_endpoints) in [(cors_outside as Start, true), (cors_inside as Start, false)] {
        let (mut browser, clock) = signed_in(start).await;
        for (path, answered) in
            [("/page", true), ("/api/auth/session", at_endpoints), ("/api/auth/signout", at_endpoints)]
        {
            let mut preflight = browser.clone().with_header("origin", SPA);
            preflight.jar.clear();
            preflight = preflight.with_header("access-control-request-method", "POST");
            preflight = preflight.with_header("access-control-request-headers", "content-type");
            let answer = preflight.send(Method::OPTIONS, path, None, Bytes::new()).await;
            assert_eq!(answer.status.is_success(), answered, "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), answered.then_some(SPA), "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), answered.then_some("true"));
            assert!(names(&answer).is_empty(), "{path}: a preflight starts nothing");

            clock.advance(DAY);
            let mut script = browser.clone().with_header("origin", SPA);
            let answer = script.get(path).await;
            assert_eq!(answer.header("access-control-allow-origin"), answered.then_some(SPA), "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), answered.then_some("true"));
            assert_eq!(answer.cookie(SESSION).is_some(), path != "/api/auth/signout", "{path}");
            browser.jar = script.jar;
        }
    }
}

/// CORS says who may read an answer. Who may post to the endpoints is not its business: another origin may not.
#[tokio::test]
async fn cors_does_not_open_the_endpoints() {
    let (browser, _) = signed_in(cors_outside).await;
    let mut script = browser.with_header("origin", SPA);
    let answer = script.sign_out().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error"], "CrossSiteRequest");
    assert_eq!(script.session().await["user"]["name"], "J Smith");
}

/// Outside, the limit holds for the endpoints as well; inside, they have one of their own.
#[tokio::test]
async fn limits_of_bodies() {
    for (start, endpoint) in
        [(limit_outside as Start, "length limit exceeded"), (limit_inside as Start, "Body exceeded")]
    {
        let (mut browser, _) = signed_in(start).await;
        let form = Some("application/x-www-form-urlencoded");
        for (path, words) in [("/echo", "length limit exceeded"), ("/api/auth/signout", endpoint)] {
            let body = Bytes::from(vec![b'a'; 2 << 20]);
            let answer = browser.send(Method::POST, path, form, body).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
            assert!(answer.text().contains(words), "{path}: {}", answer.text());
        }
        assert_eq!(browser.get("/guarded").await.status, StatusCode::OK);
    }
}

/// Outside, every answer has an id: the service's, the endpoints', the guard's.
#[tokio::test]
async fn ids_of_requests() {
    const ID: HeaderName = HeaderName::from_static("x-request-id");
    for (start, endpoints) in [(ids_outside as Start, true), (ids_inside as Start, false)] {
        let (mut browser, _) = signed_in(start).await;
        assert_eq!(browser.get("/api/auth/session").await.headers.contains_key(ID), endpoints);
        assert!(browser.get("/page").await.headers.contains_key(ID));
        browser.jar.clear();
        let refused = browser.get("/guarded").await;
        assert_eq!((refused.status, refused.headers.contains_key(ID)), (StatusCode::UNAUTHORIZED, true));
    }
}
