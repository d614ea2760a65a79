//! The stacks that requests are sent through: a bare Tower service and an Axum router, each with nothing, a
//! no-op layer, our layer, or our layer and a guard in front.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, response::Html, routing::get};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::ACCEPT};
use http_body_util::Full;
use portcullis::{Auth, AuthLayer, RequireAuth};
use tower::{Layer, Service, service_fn};

use super::{
    Run,
    noop::NoOpLayer,
    tokens::{Format, Sent},
};

type Sending = Request<Full<Bytes>>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    Tower,
    /// The handler answers a line of text.
    Axum,
    /// The handler renders a small page.
    AxumPage,
}

impl Stack {
    pub const PLAIN: [Self; 2] = [Self::Tower, Self::Axum];
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tower => "tower",
            Self::Axum => "axum",
            Self::AxumPage => "axum page",
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Front {
    Nothing,
    NoOp,
    Layer,
    /// The layer, and a no-op layer where the guard would be.
    Open,
    /// The layer and a guard that answers scripts: 401 JSON.
    Guard,
    /// The layer and a guard that answers browsers: a redirect to the sign-in page.
    PageGuard,
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "bare",
            Self::NoOp => "no-op",
            Self::Layer => "layer",
            Self::Open => "no-op for guard",
            Self::Guard => "guard",
            Self::PageGuard => "page guard",
        })
    }
}

/// One request through a stack. Cloning the request's headers is part of it, with every front alike.
pub fn run(stack: Stack, front: Front, format: Format, sent: Sent) -> Run {
    let is_signed_in = matches!(sent, Sent::Good(_));
    if front == Front::Layer {
        // The cookie is what it is called, or the wrong thing would be measured.
        drop(run_with(stack, Front::Guard, &format.auth(), sent.headers(format), is_signed_in));
    }
    run_with(stack, front, &format.auth(), sent.headers(format), is_signed_in)
}

/// The same, with a configuration and headers of one's own.
pub fn run_with(stack: Stack, front: Front, auth: &Auth, headers: HeaderMap, is_signed_in: bool) -> Run {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.headers_mut() = headers;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    let expected = match (front, is_signed_in) {
        (Front::Nothing | Front::NoOp | Front::Layer | Front::Open, _) | (_, true) => StatusCode::OK,
        (Front::Guard, _) => StatusCode::UNAUTHORIZED,
        (Front::PageGuard, _) => StatusCode::TEMPORARY_REDIRECT,
    };
    match stack {
        Stack::Tower => tower(front, auth, request, expected),
        Stack::Axum => axum(front, auth, request, expected, get(hello)),
        Stack::AxumPage => axum(front, auth, request, expected, get(page)),
    }
}

fn tower(front: Front, auth: &Auth, request: Sending, expected: StatusCode) -> Run {
    let service = service_fn(answer);
    let layer = || AuthLayer::new(auth.clone());
    match front {
        Front::Nothing => repeat(service, request, expected),
        Front::NoOp => repeat(NoOpLayer.layer(service), request, expected),
        Front::Layer => repeat(layer().layer(service), request, expected),
        Front::Open => repeat(layer().layer(NoOpLayer.layer(service)), request, expected),
        Front::Guard => repeat(layer().layer(guard().layer(service)), request, expected),
        Front::PageGuard => repeat(layer().layer(guard().page().layer(service)), request, expected),
    }
}

fn axum(
    front: Front,
    auth: &Auth,
    request: Sending,
    expected: StatusCode,
    handler: axum::routing::MethodRouter,
) -> Run {
    let layer = || AuthLayer::new(auth.clone());
    let router = |handler| Router::<()>::new().route("/", handler);
    let router = match front {
        Front::Nothing => router(handler),
        Front::NoOp => router(handler).layer(NoOpLayer),
        Front::Layer => router(handler).layer(layer()),
        Front::Open => router(handler.layer(NoOpLayer)).layer(layer()),
        Front::Guard => router(handler.layer(guard())).layer(layer()),
        Front::PageGuard => router(handler.layer(guard().page())).layer(layer()),
    };
    // As `axum::serve` does; before that each request would set up the handler anew.
    repeat(router.with_state(()), request, expected)
}

fn guard() -> RequireAuth {
    RequireAuth::signed_in()
}

fn answer(_: Sending) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"hello")))))
}

async fn hello() -> &'static str {
    "hello"
}

async fn page() -> Html<String> {
    let rows: String =
        (1..=8).map(|number| format!("<tr><td>{number}</td><td>{}</td></tr>", number * number)).collect();
    Html(format!(
        "<!doctype html><html><head><title>Account</title></head><body><h1>Account</h1><table>{rows}</table></body></html>"
    ))
}

fn repeat<S, B>(mut service: S, request: Sending, expected: StatusCode) -> Run
where
    S: Service<Sending, Response = Response<B>, Error = Infallible> + 'static,
{
    let (parts, body) = request.into_parts();
    let mut once = move || {
        let request = Request::from_parts(parts.clone(), body.clone());
        let context = &mut Context::from_waker(Waker::noop());
        assert!(service.poll_ready(context).is_ready());
        match pin!(service.call(request)).poll(context) {
            Poll::Ready(Ok(response)) => response,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    assert_eq!(once().status(), expected);
    Box::new(move || {
        black_box(once());
    })
}
