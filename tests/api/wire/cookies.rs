//! `cookie_chunking` from outside: what is read as the session cookie, and what is removed. How tokens are cut
//! is tested beside the code, with tokens of any length.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use portcullis::{Auth, AuthLayer, OriginPolicy, Secret, get_raw_token};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use super::{Deliberate, Findings};
use crate::support::{App, Browser, app, vectors};

const DELIBERATE: &[Deliberate] = &[Deliberate {
    cases: &["*/single_and_chunks", "*/chunks_then_single", "*/gap", "*/prefix_sibling"],
    aspects: &["value"],
    reason: "session-cookie-names",
}];

/// Answers the token of a request as it was sent.
fn site(vector: &vectors::Vector) -> App {
    let secure = vector.str("base_name").starts_with("__Secure-");
    let origin = if secure { "https://app.example.com" } else { "http://localhost:3000" };
    let auth = Auth::builder(Secret::new_unchecked("secret"))
        .origin(OriginPolicy::fixed(origin).unwrap())
        .dialect(vector.dialect());
    let service = service_fn(async |request: Request<Full<Bytes>>| {
        let token = json!(get_raw_token(&request).unwrap());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(token.to_string()))))
    });
    app(AuthLayer::new(auth.build().unwrap()).layer(service))
}

/// The cookies of the request: a list where the order matters, else an object.
fn cookie_header(vector: &vectors::Vector) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs: Vec<_> = match vector.get("request_cookies") {
        Value::Array(list) => list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        other => panic!("{} has no cookies: {other}", vector.id()),
    };
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn chunks_are_read_and_removed() {
    let mut findings = Findings::default();
    for vector in vectors::load("cookie_chunking") {
        let (case, op) = (vector.case(), vector.str("op"));
        if op == "chunk" {
            continue;
        }
        findings.cases += 1;
        let uri = if op == "read" { "/" } else { "/api/auth/session" };
        let request = Request::get(uri).header(header::COOKIE, cookie_header(&vector));
        let answer = Browser::new(site(&vector)).request(request.body(Full::default()).unwrap()).await;
        match op {
            "read" => {
                let nothing = |value: Value| if value.as_str() == Some("") { Value::Null } else { value };
                findings.compare(case, "value", nothing(vector.get("value").clone()), answer.json());
            }
            "clean" => {
                let cookies = answer.cookies();
                let removed =
                    cookies.iter().filter(|cookie| cookie.value().is_empty()).map(|cookie| cookie.name());
                let expected = vector.list("set").iter().map(|set| set["name"].as_str().unwrap()).collect();
                findings.compare(case, "removed", expected, removed.collect::<Vec<_>>());
            }
            _ => panic!("{case}: what is {op}?"),
        }
    }
    findings.settle(DELIBERATE);
}
