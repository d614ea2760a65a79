//! hyper, without a framework: both versions of HTTP, and what is different in HTTP/2.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use portcullis::{AuthLayer, RequireAuth, get_server_session};
use tower::{Layer, ServiceBuilder, service_fn};

use crate::{
    client::{self, browser},
    composition::{Composition, HTTP1, HTTP2, auth, row, visit_all},
    server::{serve, serve_http1, serve_http2},
    site::site,
    support::{ManualClock, NOW, ORIGIN},
    visit::SESSION,
};

const TABLE: &[Composition] = &[
    row("service_fn, hyper's HTTP/1", |auth| serve_http1(AuthLayer::new(auth).layer(site()))).speaks(HTTP1),
    row("service_fn, hyper's HTTP/2", |auth| serve_http2(AuthLayer::new(auth).layer(site()))).speaks(HTTP2),
    row("service_fn, either by the client's first bytes", |auth| serve(AuthLayer::new(auth).layer(site()))),
    row("ServiceBuilder", |auth| serve(ServiceBuilder::new().layer(AuthLayer::new(auth)).service(site()))),
];

#[tokio::test]
async fn compositions() {
    visit_all(TABLE).await;
}

/// The host of HTTP/2 is in the target: there is no `Host`, and a site that is known by its name is found.
#[tokio::test]
async fn http2_names_the_host_in_its_target() {
    let clock = ManualClock::at(NOW);
    let tell = service_fn(async |request: Request<Incoming>| {
        let signed_in = get_server_session(&request).unwrap().is_some();
        let host = (request.uri().authority().cloned(), request.headers().contains_key(header::HOST));
        Ok::<_, Infallible>(Response::new(Full::from(format!("{host:?} {signed_in}"))))
    });
    let address = serve(AuthLayer::new(auth(&clock).build().unwrap()).layer(tell));
    let mut browser = browser(address, Version::HTTP_2);
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.get("/").await.text(), "(Some(localhost:3000), false) true");
    // To the endpoints, another name is another site; to the service, a request of nobody.
    let elsewhere = "http://evil.example:3000";
    assert_eq!(browser.get(&format!("{elsewhere}/api/auth/csrf")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get(&format!("{elsewhere}/")).await.text(), "(Some(evil.example:3000), false) false");
}

/// RFC 9113 section 8.2.3: a client may send each cookie in a header of its own.
#[tokio::test]
async fn http2_cookies_in_several_headers() {
    let clock = ManualClock::at(NOW);
    let address = serve_http2(AuthLayer::new(auth(&clock).build().unwrap()).layer(site()));
    let mut browser = browser(address, Version::HTTP_2);
    browser.sign_in("jsmith", "hunter2").await;
    browser.get("/page").await;
    let mut request = Request::get(format!("{ORIGIN}/page")).body(Empty::<Bytes>::new()).unwrap();
    for (name, value) in &browser.jar {
        request.headers_mut().append(header::COOKIE, format!("{name}={value}").parse().unwrap());
    }
    assert!(browser.jar.contains_key(SESSION) && browser.jar.len() > 3);
    let response = client::client(address, Version::HTTP_2).request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "1 is here, this is visit number 2");
}

/// RFC 9110 section 9.3.2: an answer to HEAD has no content; in HTTP/2 one would break the stream.
#[tokio::test]
async fn answers_to_head_are_headers_alone() {
    let clock = ManualClock::at(NOW);
    let guarded = RequireAuth::signed_in().layer(site());
    let address = serve(AuthLayer::new(auth(&clock).build().unwrap()).layer(guarded));
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let mut browser = browser(address, version);
        for path in ["/api/auth/session", "/api/auth/signin", "/page"] {
            let answer = browser.send(Method::HEAD, path, None, Bytes::new()).await;
            assert!(answer.body.is_empty() && answer.status.is_client_error(), "{version:?} {path}");
        }
    }
}
