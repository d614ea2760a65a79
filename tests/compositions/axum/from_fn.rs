//! `axum::middleware::from_fn` that asks for the session.

use axum::{Router, extract::Request, middleware, response::Response, routing::get};
use http::{HeaderMap, HeaderValue, Version};
use portcullis::{AuthLayer, Session, SessionError, get_server_session};

use super::{page, pages};
use crate::{
    client::browser,
    composition::{Composition, auth, row, visit_all},
    server::serve,
    support::{ManualClock, NOW},
};

fn told(asked: Result<Option<Session>, SessionError>) -> HeaderValue {
    let told = match &asked {
        Ok(Some(session)) => session.subject(),
        Ok(None) => "nobody",
        Err(error) => error.code(),
    };
    HeaderValue::from_str(told).unwrap()
}

async fn outside(request: Request, next: middleware::Next) -> Response {
    let asked = told(get_server_session(&request));
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-outside", asked);
    response
}

async fn inside(request: Request, next: middleware::Next) -> Response {
    let asked = told(get_server_session(&request));
    // After a wait, on whichever thread goes on.
    tokio::task::yield_now().await;
    let later = told(get_server_session(&request));
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-inside", asked);
    response.headers_mut().insert("x-later", later);
    response
}

fn both(auth: portcullis::Auth) -> std::net::SocketAddr {
    let router = pages().layer(middleware::from_fn(inside)).layer(AuthLayer::new(auth));
    serve(router.layer(middleware::from_fn(outside)))
}

const TABLE: &[Composition] = &[
    row("from_fn inside", |auth| {
        serve(pages().layer(middleware::from_fn(inside)).layer(AuthLayer::new(auth)))
    }),
    row("from_fn outside", |auth| {
        serve(pages().layer(AuthLayer::new(auth)).layer(middleware::from_fn(outside)))
    }),
    row("from_fn on both sides", both),
];

#[tokio::test]
async fn compositions() {
    visit_all(TABLE).await;
}

/// Inside it knows who is there; outside it is told that it stands in the wrong place, which is not "nobody".
#[tokio::test]
async fn who_middleware_sees() {
    let clock = ManualClock::at(NOW);
    let mut browser = browser(both(auth(&clock).build().unwrap()), Version::HTTP_11);
    for who in ["nobody", "1"] {
        let answer = browser.get("/page").await;
        for (name, expected) in [("x-inside", who), ("x-later", who), ("x-outside", "MissingAuthLayer")] {
            assert_eq!(answer.header(name), Some(expected), "{name}");
        }
        browser.sign_in("jsmith", "hunter2").await;
    }
}

/// A task of its own has the session that it was given, and cannot ask for one.
#[tokio::test]
async fn spawned_tasks() {
    let clock = ManualClock::at(NOW);
    let handler = async |session: Option<Session>, headers: HeaderMap, request: Request| {
        let moved = session.clone();
        let asks = tokio::spawn(async move {
            let moved = told(Ok(moved));
            (moved, told(get_server_session(&request)))
        });
        let (moved, asked) = asks.await.unwrap();
        let mut response = page(session, headers).await;
        response.headers_mut().insert("x-moved", moved);
        response.headers_mut().insert("x-asked", asked);
        response
    };
    let router = Router::new().route("/page", get(handler));
    let address = serve(router.layer(AuthLayer::new(auth(&clock).build().unwrap())));
    let mut browser = browser(address, Version::HTTP_11);
    let answer = browser.get("/page").await;
    assert_eq!(
        (answer.header("x-moved"), answer.header("x-asked")),
        (Some("nobody"), Some("MissingAuthLayer"))
    );
    browser.sign_in("jsmith", "hunter2").await;
    let answer = browser.get("/page").await;
    assert_eq!((answer.header("x-moved"), answer.header("x-asked")), (Some("1"), Some("1")));
}
