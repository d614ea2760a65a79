//! Compares an answer with the recorded one, aspect by aspect.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, Request, header};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use regex::Regex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Findings,
    authorization::{self, is_check},
    database::LENGTHENED,
    page::{Form, Page},
    site::{Site, has_store},
};
use crate::support::{Answer, Browser, vectors::Vector};

/// One `Set-Cookie` line: name, value and attributes, whose order says nothing (RFC 6265bis section 5.6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) attributes: BTreeSet<String>,
}

/// Headers that an answer may have beyond the recorded ones (`docs/hardening.md`, "headers").
const ADDED: [&str; 7] = [
    "cache-control",
    "pragma",
    "expires",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "x-frame-options",
];

/// The recorded request as it was sent.
pub(super) fn request(vector: &Vector) -> Request<Full<bytes::Bytes>> {
    let body = vector.opt_str("request/body").unwrap_or_default().to_owned();
    let mut request = Request::builder().method(vector.str("request/method")).uri(vector.str("request/path"));
    for (name, value) in vector.texts("request/headers") {
        let value = match name {
            "cookie" if vector.str("config/strategy") == "database" => lengthened(value),
            _ => value.to_owned(),
        };
        request = request.header(name, value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// The cookies with ids of sessions as [`Names::fill`](super::database::Names::fill) has stored them.
fn lengthened(cookies: &str) -> String {
    let long = |cookie: &str| {
        let tail = if cookie.contains("session-token=") { LENGTHENED } else { "" };
        format!("{cookie}{tail}")
    };
    cookies.split("; ").map(long).collect::<Vec<_>>().join("; ")
}

pub(super) async fn compare(
    findings: &mut Findings,
    case: &str,
    vector: &Vector,
    site: &Site,
    answer: &Answer,
) {
    let status = vector.get("response/status").clone();
    findings.compare(case, "status", status.clone(), json!(answer.status.as_u16()));
    if status.is_null() {
        // It was never answered, so there is nothing else to compare.
        return;
    }
    compare_headers(findings, case, vector, answer);
    let (expected, got) = (recorded_cookies(vector), sent_cookies(&answer.headers));
    // To HEAD the server leaves the body away.
    if vector.str("request/method") != "HEAD" {
        compare_body(findings, case, vector, answer, &got);
    }
    compare_cookies(findings, case, vector, &expected, &got);
    compare_claims(findings, case, vector, site, &got).await;
}

fn compare_headers(findings: &mut Findings, case: &str, vector: &Vector, answer: &Answer) {
    let expected = vector.texts("response/headers");
    let location = expected.get("location").copied();
    let led = answer.header("location");
    findings.compare(case, "location", location.map(place), led.map(place));
    authorization::compare(findings, case, location, led);
    for name in ["cache-control", "pragma", "expires"] {
        if let Some(value) = expected.get(name) {
            findings.compare(case, "cache", Some(*value), answer.header(name));
        }
    }
    // Of a redirect, or of nothing, nobody reads it.
    let is_shown = location.is_none() && !answer.body.is_empty();
    if let Some(kind) = expected.get("content-type").filter(|_| is_shown) {
        let essence = |kind: &str| kind.split(';').next().unwrap_or_default().to_owned();
        findings.compare(
            case,
            "content-type",
            Some(essence(kind)),
            answer.header("content-type").map(essence),
        );
    }
    let known = ["location", "content-type", "set-cookie"];
    let added: Vec<_> =
        answer.headers.keys().map(|name| name.as_str()).filter(|name| !known.contains(name)).collect();
    let unknown: Vec<_> = added.into_iter().filter(|name| !ADDED.contains(name)).collect();
    findings.compare(case, "headers", Vec::new(), unknown);
}

fn compare_body(findings: &mut Findings, case: &str, vector: &Vector, answer: &Answer, cookies: &[Set]) {
    if vector.has("response/body_json") {
        let expected = vector.get("response/body_json").clone();
        let got: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
        let fresh = cookies.iter().find(|cookie| cookie.name.ends_with("csrf-token"));
        match fresh.filter(|_| expected.get("csrfToken").is_some()) {
            // A random one is compared with its cookie.
            Some(cookie) => {
                let token = cookie.value.split('|').next().unwrap_or_default();
                findings.compare(case, "body", json!({ "csrfToken": token }), got);
            }
            None => compare_json(findings, case, expected, got),
        }
    } else if let Some(html) = vector.opt_str("response/body_html").filter(|html| html.contains("<html")) {
        compare_page(findings, case, html, &answer.text(), cookies);
    } else {
        let text = ["body_text", "body_html"]
            .iter()
            .find_map(|kind| vector.opt_str(&format!("response/{kind}")).map(str::to_owned));
        findings.compare(case, "body", text.unwrap_or_default(), answer.text());
    }
}

fn compare_json(findings: &mut Findings, case: &str, mut expected: Value, mut got: Value) {
    authorization::compare(findings, case, expected["url"].as_str(), got["url"].as_str());
    for body in [&mut expected, &mut got] {
        if let Some(url) = body.get_mut("url").filter(|url| url.is_string()) {
            *url = json!(place(url.as_str().unwrap()));
        }
    }
    findings.compare(case, "body", expected, got);
}

/// Where it leads. What a provider is told there is compared for itself, since it is in no order.
fn place(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| if authorization::is_acme(place) { place } else { url })
}

fn compare_page(findings: &mut Findings, case: &str, expected: &str, got: &str, cookies: &[Set]) {
    let (expected, got) = (Page::read(expected), Page::read(got));
    findings.compare(case, "page title", expected.title, got.title);
    findings.compare(case, "page class", expected.body_class, got.body_class);
    findings.compare(case, "page texts", expected.texts, got.texts);
    findings.compare(case, "page links", expected.links, got.links);
    findings.compare(case, "page logo", expected.logo, got.logo);
    let fresh = cookies.iter().find(|cookie| cookie.name.ends_with("csrf-token"));
    let made = fresh.map(|cookie| cookie.value.split('|').next().unwrap_or_default());
    let aspects = ["page form", "page csrf", "page hidden fields"];
    compare_form(findings, case, aspects, made, expected.form, got.form);
    let aspects = ["email form", "email csrf", "email hidden fields"];
    compare_form(findings, case, aspects, made, expected.email, got.email);
}

/// `made` is the CSRF token that comes with the page.
fn compare_form(
    findings: &mut Findings,
    case: &str,
    [form, csrf, fields]: [&'static str; 3],
    made: Option<&str>,
    expected: Option<Form>,
    got: Option<Form>,
) {
    let split = |form: Option<Form>| {
        form.map(|mut form| {
            let hidden = std::mem::take(&mut form.hidden);
            (form, hidden)
        })
        .unzip()
    };
    let ((expected, hidden), (got, mut sent)) = (split(expected), split(got));
    findings.compare(case, form, expected, got);
    let token = |hidden: &Option<BTreeMap<String, String>>| {
        hidden.as_ref().and_then(|hidden| hidden.get("csrfToken").cloned())
    };
    let made = made.map(str::to_owned).or_else(|| token(&hidden)).filter(|_| hidden.is_some());
    findings.compare(case, csrf, made, token(&sent));
    if let (Some(hidden), Some(sent)) = (&hidden, &mut sent) {
        sent.remove("csrfToken");
        let others: Vec<_> = hidden.keys().filter(|name| *name != "csrfToken").collect();
        findings.compare(case, fields, others, sent.keys().collect());
    }
}

fn compare_cookies(findings: &mut Findings, case: &str, vector: &Vector, expected: &[Set], got: &[Set]) {
    let shapes =
        |cookies: &[Set]| authorization::shared(cookies, |cookie| shape(vector, cookie)).collect::<Vec<_>>();
    findings.compare(case, "cookies", shapes(expected), shapes(got));
}

/// A cookie with what is random in its value replaced by what must hold of it.
fn shape(vector: &Vector, cookie: &Set) -> Set {
    let value = match cookie.value.as_str() {
        "" => String::new(),
        value if cookie.name.ends_with("csrf-token") => csrf_shape(vector, value),
        _ if is_check(&cookie.name) => "random".to_owned(),
        value if is_row(vector, cookie) => {
            let value = value.strip_suffix(LENGTHENED).unwrap_or(value);
            let recorded = vector.list("config/db/sessions").iter().any(|row| row["sessionToken"] == *value);
            if recorded { value.to_owned() } else { "another id".to_owned() }
        }
        // Ids of users, which are part of it, are the store's own.
        value if cookie.name.contains("session-token") && has_store(vector) => {
            let is_token = value.split('.').count() >= 3;
            if is_token { "a token".to_owned() } else { format!("no token: {value}") }
        }
        // How long a token is depends on its claims alone.
        value if cookie.name.contains("session-token") => format!("{} characters of a token", value.len()),
        value => value.to_owned(),
    };
    Set { value, ..cookie.clone() }
}

/// Whether the value is the id of a session in the store, which has no dots as tokens have.
fn is_row(vector: &Vector, cookie: &Set) -> bool {
    let stored = vector.str("config/strategy") == "database" && cookie.name.contains("session-token");
    stored && !cookie.value.contains('.')
}

fn csrf_shape(vector: &Vector, value: &str) -> String {
    let parts = Regex::new("^([0-9a-f]{64})\\|([0-9a-f]{64})$").unwrap();
    let Some(found) = parts.captures(value) else { return format!("no CSRF cookie: {value}") };
    let hash = Sha256::digest(format!("{}{}", &found[1], vector.str("secret")));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    if hash == found[2] { "a token and its hash".to_owned() } else { "a wrong hash".to_owned() }
}

/// Opens the session cookies of an answer the way a browser would show them: by sending them.
async fn compare_claims(findings: &mut Findings, case: &str, vector: &Vector, site: &Site, cookies: &[Set]) {
    let recorded = vector.get("decoded_cookies").as_object();
    let expected = recorded.and_then(|cookies| {
        cookies.iter().find(|(name, _)| name.contains("session-token")).map(|(_, claims)| claims.clone())
    });
    let sent: Vec<_> = cookies
        .iter()
        .filter(|cookie| cookie.name.contains("session-token") && !cookie.value.is_empty())
        .map(|cookie| format!("{}={}", cookie.name, cookie.value))
        .collect();
    let got = if sent.is_empty() { None } else { open(site, &sent.join("; ")).await };
    findings.compare_claims(case, expected.map(without_id), got.map(without_id));
}

/// What the token of these cookies says; an id of a row is none.
async fn open(site: &Site, cookies: &str) -> Option<Value> {
    let request = Request::get("/").header(header::COOKIE, cookies).body(Full::default()).unwrap();
    let claims = Browser::new(site.app.clone()).request(request).await.json();
    Some(site.names.recorded(claims)).filter(|claims| !claims.is_null())
}

/// The id of a token is random; that it has one is not.
fn without_id(mut claims: Value) -> Value {
    if let Some(id) = claims.get_mut("jti") {
        let uuid = Regex::new("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$").unwrap();
        *id = json!(id.as_str().is_some_and(|id| uuid.is_match(id)));
    }
    claims
}

fn recorded_cookies(vector: &Vector) -> Vec<Set> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vector
        .list("set_cookies_parsed")
        .iter()
        .map(|cookie| Set {
            name: text(&cookie["name"]),
            value: text(&cookie["value"]),
            attributes: cookie["attributes"].as_array().unwrap().iter().map(text).collect(),
        })
        .collect()
}

pub(super) fn sent_cookies(headers: &HeaderMap) -> Vec<Set> {
    headers.get_all(header::SET_COOKIE).iter().map(|line| Set::read(line.to_str().unwrap())).collect()
}

impl Set {
    pub(super) fn read(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let value = percent_decode_str(value).decode_utf8().unwrap().into_owned();
        Self { name: name.to_owned(), value, attributes: parts.map(str::to_owned).collect() }
    }
}
