//! `get_token`: the token of a request, opened and as it was sent.

use std::{collections::BTreeSet, convert::Infallible};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use portcullis::{Auth, AuthLayer, CookieKind, CookieOptions, OriginPolicy, get_raw_token, get_token};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use super::{Deliberate, Findings, Skipped, check_skipped, is_skipped};
use crate::support::{App, Browser, ManualClock, app, vectors};

const SKIPPED: &[Skipped] =
    &[Skipped { prefix: "v5/no_secret", reason: "no Auth can be made without a secret" }];

const DELIBERATE: &[Deliberate] = &[
    Deliberate { cases: &["v5/salt_override"], aspects: &["value"], reason: "salt" },
    // Sealed with the older secret, so the layer has renewed it before the handler asks.
    Deliberate { cases: &["v5/secret_array"], aspects: &["value"], reason: "rotation" },
];

/// Answers what the handler of a request is given.
fn site(vector: &vectors::Vector) -> App {
    let secure = vector.get("secure_cookie").as_bool().unwrap_or_default();
    let origin = if secure { "https://app.example.com" } else { "http://localhost:3000" };
    let mut builder = Auth::builder(vector.secret())
        .origin(OriginPolicy::fixed(origin).unwrap())
        .dialect(vector.dialect())
        .clock(ManualClock::at(vector.i64("now")));
    if let Some(name) = vector.opt_str("cookie_name") {
        builder = builder.cookie(CookieKind::SessionToken, CookieOptions::new().name(name));
    }
    let raw = vector.get("raw").as_bool().unwrap();
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        let value = if raw {
            json!(get_raw_token(&request).unwrap())
        } else {
            json!(get_token::<Value>(&request).unwrap().map(|token| token.claims))
        };
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(value.to_string())))))
    });
    app(AuthLayer::new(builder.build().unwrap()).layer(service))
}

#[tokio::test]
async fn get_token_vectors() {
    let (mut findings, mut skipped) = (Findings::default(), BTreeSet::new());
    for vector in vectors::load("get_token") {
        if is_skipped(SKIPPED, vector.case(), &mut skipped) {
            continue;
        }
        let mut request = Request::get("/");
        for (name, value) in vector.texts("headers") {
            request = request.header(name, value);
        }
        let cookies: Vec<_> =
            vector.texts("cookies").iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = Browser::new(site(&vector)).request(request.body(Full::default()).unwrap()).await;
        findings.cases += 1;
        findings.compare(vector.case(), "value", vector.get("value").clone(), answer.json());
    }
    check_skipped(SKIPPED, &skipped);
    findings.settle(DELIBERATE);
}
