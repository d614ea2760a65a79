//! The slowest answers to requests that are as large as they may be and hold nothing good, at each endpoint and at a
//! page: `cargo bench --bench hostile`. Row S43 of `docs/security.md` names 100 ms.
//!
//! Each request is sent a few times, and the fastest counts, so that a busy machine disturbs less. Nothing fails here: a
//! time is no test.

#![allow(clippy::unwrap_used, reason = "a bench that cannot run should say so and stop")]

#[path = "../tests/api/support/fillings.rs"]
mod fillings;
mod support;

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    Method, Request, Response,
    header::{CONTENT_TYPE, COOKIE},
};
use http_body_util::Full;
use portcullis::{Auth, AuthLayer, Credentials, Dialect, Field, OriginPolicy};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};

use fillings::{FORMS, OBJECTS, query};
use support::{is_test, tokens::secret};

const BUDGET: Duration = Duration::from_millis(100);
/// The default limit of a body.
const BODY: usize = 1024 * 1024;
/// What a URI may have, and a little less.
const QUERY: usize = 60_000;
/// What hyper takes of all headers.
const HEADER: usize = 400_000;
const TIMES: usize = 5;

const ACTIONS: [&str; 10] = [
    "signin",
    "signin/credentials",
    "callback/credentials",
    "signout",
    "session",
    "csrf",
    "providers",
    "error",
    "verify-request",
    "_log",
];

struct Case {
    name: String,
    method: Method,
    uri: String,
    header: Option<(http::HeaderName, String)>,
    body: Bytes,
}

fn main() {
    let scale = if is_test() { 100 } else { 1 };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for dialect in Dialect::ALL {
        let site = site(dialect);
        let mut slowest = (Duration::ZERO, String::new());
        let mut sent = 0;
        for case in cases(dialect, scale) {
            let took = (0..TIMES).map(|_| time(&runtime, &site, &case)).min().unwrap();
            slowest = slowest.max((took, case.name));
            sent += 1;
        }
        let (took, name) = slowest;
        let verdict = if took > BUDGET { "OVER" } else { "of 100 ms" };
        println!(
            "{dialect}: {sent} requests, the slowest took {:.2} ms {verdict}: {name}",
            took.as_secs_f64() * 1e3
        );
    }
}

type Site = BoxCloneService<Request<Full<Bytes>>, (), Infallible>;

fn site(dialect: Dialect) -> Site {
    let form =
        Credentials::new(async |_| Ok::<_, Infallible>(None)).field(Field::text("username", "Username"));
    let auth = Auth::builder(secret())
        .origin(OriginPolicy::fixed("https://app.example").unwrap())
        .dialect(dialect)
        .provider(form)
        .build()
        .unwrap();
    let page = service_fn(async |_: Request<Full<Bytes>>| Ok(Response::new(Full::new(Bytes::new()))));
    BoxCloneService::new(AuthLayer::new(auth).layer(page).map_response(drop))
}

fn cases(dialect: Dialect, scale: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for action in ACTIONS {
        let uri = format!("/api/auth/{action}");
        for (what, filling) in FORMS {
            cases.push(Case {
                name: format!("{action}, {what} in the query"),
                method: Method::GET,
                uri: format!("{uri}?{:.*}", QUERY, query(&filling(QUERY / scale))),
                header: None,
                body: Bytes::new(),
            });
        }
        let forms = FORMS.map(|filling| ("application/x-www-form-urlencoded", filling));
        let objects = OBJECTS.map(|filling| ("application/json", filling));
        for (kind, (what, filling)) in forms.into_iter().chain(objects) {
            cases.push(Case {
                name: format!("{action}, {what} in the body"),
                method: Method::POST,
                uri: uri.clone(),
                header: Some((CONTENT_TYPE, kind.to_owned())),
                body: filling(BODY / scale - 100).into(),
            });
        }
    }
    for (what, cookies) in cookies(dialect, HEADER / scale) {
        for uri in ["/page", "/api/auth/session", "/api/auth/csrf"] {
            cases.push(Case {
                name: format!("{uri}, {what} in the cookies"),
                method: Method::GET,
                uri: uri.to_owned(),
                header: Some((COOKIE, cookies.clone())),
                body: Bytes::new(),
            });
        }
    }
    cases
}

fn cookies(dialect: Dialect, length: usize) -> [(&'static str, String); 5] {
    let stem = if dialect == Dialect::V5 { "__Secure-authjs" } else { "__Secure-next-auth" };
    let name = format!("{stem}.session-token");
    let chunk = |number: usize| format!("{name}.{number}=x; ");
    [
        ("many chunks", (0..length / 40).map(chunk).collect()),
        ("chunks from the last to the first", (0..length / 40).rev().map(chunk).collect()),
        ("many tokens", format!("{name}=eyJhbGciOiJkaXIifQ..a.b.c; ").repeat(length / 70)),
        ("one long token", format!("{name}=eyJhbGciOiJkaXIifQ..a.{}.c", "A".repeat(length))),
        ("nothing but blanks", format!("a{}=1", " ".repeat(length))),
    ]
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the real clock")]
fn time(runtime: &Runtime, site: &Site, case: &Case) -> Duration {
    let mut request = Request::builder().method(&case.method).uri(&case.uri);
    if let Some((name, value)) = &case.header {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(case.body.clone())).unwrap();
    let begun = Instant::now();
    let answered = runtime.block_on(site.clone().oneshot(request));
    let took = begun.elapsed();
    answered.unwrap();
    took
}
