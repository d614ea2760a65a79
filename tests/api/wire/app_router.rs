//! `next_app_router_v4`: v4 as a route handler of Next.js, and `getServerSession`.

use std::{collections::BTreeSet, convert::Infallible};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis::{
    Auth, AuthLayer, Credentials, Dialect, Endpoints, Field, OAuth, OriginPolicy, Submitted, User,
    get_server_session,
};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use super::{
    Deliberate, Findings,
    authorization::{self, is_acme, is_check},
    response::{Set, sent_cookies},
};
use crate::support::{
    Answer, App, Browser, ManualClock, app,
    vectors::{self, Vector},
};

const DELIBERATE: &[Deliberate] = &[Deliberate {
    cases: &["route/session_update_no_csrf"],
    aspects: &["content-type", "body"],
    reason: "app-router-text",
}];

/// The application that was recorded. Behind the layer stands a service that answers the session.
fn site(vector: &Vector) -> App {
    let endpoints = Endpoints::new("https://acme.example/authorize", "https://acme.example/token")
        .userinfo("https://acme.example/me");
    let acme = OAuth::oauth2("acme", endpoints, "c", "client secret").with_name("Acme").scope("openid");
    let auth = Auth::builder(vector.secret())
        .origin(OriginPolicy::fixed(vector.str("base_url")).unwrap())
        .dialect(Dialect::V4)
        .clock(ManualClock::at(vector.i64("now")))
        .provider(Credentials::new(authorize).field(Field::password("password", "Password")))
        .provider(acme.without_pkce())
        .http_client(|request: Request<Bytes>| -> std::future::Ready<_> {
            panic!("nobody asks {}", request.uri())
        });
    let session = service_fn(async |request: Request<Full<Bytes>>| {
        let session = get_server_session(&request).unwrap();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(json!(session).to_string())))
    });
    app(AuthLayer::new(auth.build().unwrap()).layer(session))
}

async fn authorize(form: Submitted) -> Result<Option<User>, portcullis::BoxError> {
    let known = form.get("password") == Some("right");
    Ok(known.then(|| User::new("7").name("N").email("n@example.com")))
}

/// What stands in a cookie as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

fn request(vector: &Vector, method: &str, path: &str, cookies: &str) -> Request<Full<Bytes>> {
    let pairs = vector.texts(cookies).into_iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, KEPT)));
    let cookies = pairs.collect::<Vec<_>>().join("; ");
    let mut request = Request::builder().method(method).uri(path);
    if !cookies.is_empty() {
        request = request.header(header::COOKIE, cookies);
    }
    if let Some(kind) = vector.opt_str("request/content_type") {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    request.body(vector.opt_str("request/body").unwrap_or_default().to_owned().into()).unwrap()
}

#[tokio::test]
async fn route_handlers() {
    let mut findings = Findings::default();
    for vector in vectors::load("next_app_router_v4") {
        let case = vector.case();
        let mut browser = Browser::new(site(&vector));
        findings.cases += 1;
        if case.starts_with("route/") {
            let (method, path) = (vector.str("request/method"), vector.str("request/path"));
            let answer = browser.request(request(&vector, method, path, "request/cookies")).await;
            compare(&mut findings, case, &vector, &answer);
            continue;
        }
        let mut returned = browser.request(request(&vector, "GET", "/", "cookies")).await.json();
        if case.starts_with("getServerSession/rsc/") {
            // A server component is not told when a session ends, since it cannot renew it.
            returned.as_object_mut().and_then(|session| session.remove("expires"));
        }
        findings.compare(case, "returned", vector.get("returned").clone(), returned);
    }
    assert_eq!(findings.cases, 52, "all of them");
    findings.settle(DELIBERATE);
}

fn compare(findings: &mut Findings, case: &str, vector: &Vector, answer: &Answer) {
    findings.compare(case, "status", vector.i64("response/status"), answer.status.as_u16().into());
    let (expected, got) = (vector.opt_str("response/headers/location"), answer.header("location"));
    findings.compare(case, "location", expected, got);
    let essence = |kind: Option<&str>| kind.map(|kind| kind.split(';').next().unwrap_or_default().to_owned());
    if !answer.body.is_empty() {
        let expected = vector.opt_str("response/headers/content-type");
        findings.compare(case, "content-type", essence(expected), essence(answer.header("content-type")));
    }
    let recorded = vector.list("response/set_cookie").iter().map(|line| Set::read(line.as_str().unwrap()));
    let (recorded, sent) = (recorded.collect::<Vec<_>>(), sent_cookies(&answer.headers));
    findings.compare(case, "cookies", shapes(&recorded), shapes(&sent));
    if vector.has("response/body_html_head") {
        return; // Pages are compared in http.rs.
    }
    match vector.get("response/body_json") {
        Value::Null => {
            findings.compare(case, "body", vector.opt_str("response/body_text"), Some(&*answer.text()));
        }
        expected => {
            let got = answer.json();
            authorization::compare(findings, case, expected["url"].as_str(), got["url"].as_str());
            findings.compare(case, "body", plain(expected.clone(), &recorded), plain(got, &sent));
        }
    }
}

/// What is random, by what must hold of it: a CSRF token is that of its cookie, and a provider's parameters are
/// compared by themselves.
fn plain(mut body: Value, cookies: &[Set]) -> Value {
    if let Some(token) = body.get_mut("csrfToken") {
        let of_cookie = |cookie: &Set| cookie.value.split('|').next() == token.as_str();
        *token = json!(cookies.iter().any(of_cookie));
    }
    if let Some(url) = body.get_mut("url").filter(|url| url.as_str().is_some_and(is_acme)) {
        *url = json!("the provider");
    }
    body
}

fn shapes(cookies: &[Set]) -> BTreeSet<Set> {
    let shape = |cookie: &Set| {
        let random = cookie.name.ends_with("csrf-token") || is_check(&cookie.name);
        let value = match cookie.value.as_str() {
            "" => String::new(),
            _ if random => "random".to_owned(),
            value if cookie.name.contains("session-token") => format!("{} characters", value.len()),
            value => value.to_owned(),
        };
        Set { value, ..cookie.clone() }
    };
    authorization::shared(cookies, shape).collect()
}
