//! `oauth_v3`, `oauth_v4`, `oauth_v5`: to a provider and back.
//!
//! What the packages had begun is finished here, with the cookies that they had sealed. Where they had used no `state`,
//! or one that is no cookie (v3), the sign-in begins here, too.

mod deliberate;
mod given;
mod provider;
mod rows;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use http::{Request, header};
use http_body_util::Full;
use serde_json::{Map, Value, json};

pub(super) use self::world::checks;
use self::{given::Given, provider::Asked, rows::Rows, world::World};
use super::{
    Findings,
    authorization::{self, is_check, is_transaction, parts},
    response::{Set, sent_cookies},
};
use crate::support::{
    Answer, Browser,
    vectors::{self, Vector},
};

async fn replay(version: &str) -> Findings {
    let mut findings = Findings::default();
    for vector in vectors::load(&format!("oauth_{version}")) {
        let case = format!("{version}/{}", vector.case());
        let world = World::of(&vector).await;
        findings.cases += 1;
        let begun = begin(&mut findings, &case, &vector, &world).await;
        finish(&mut findings, &case, &vector, &world, begun).await;
    }
    assert_eq!(findings.cases, 74, "all of them");
    findings
}

#[tokio::test]
async fn v3() {
    replay("v3").await.settle(deliberate::V3);
}

#[tokio::test]
async fn v4() {
    replay("v4").await.settle(deliberate::V4);
}

#[tokio::test]
async fn v5() {
    replay("v5").await.settle(deliberate::V5);
}

/// What a browser has once it is at the provider.
struct Begun {
    cookies: BTreeMap<String, String>,
    state: String,
    nonce: Option<String>,
}

/// Sends the recorded `POST /signin`, and answers where and with what it leads to the provider here.
async fn begin(findings: &mut Findings, case: &str, vector: &Vector, world: &World) -> Begun {
    let cookies = sent(vector.str("signin/request/headers/cookie"), world);
    let request = Request::post(vector.str("signin/request/path"))
        .header(header::CONTENT_TYPE, vector.str("signin/request/headers/content-type"))
        .header(header::COOKIE, line(&cookies))
        .body(Full::from(vector.str("signin/request/body").to_owned()))
        .unwrap();
    let answer = Browser::new(world.app.clone()).request(request).await;
    findings.compare(case, "sign-in status", vector.i64("signin/status"), answer.status.as_u16().into());
    let (expected, got) = (parts(vector.str("signin/location")), parts(answer.header("location").unwrap()));
    findings.compare(case, "sign-in location", expected.0, got.0);
    let (recorded, asked) = (authorization::shape(&expected.1), authorization::shape(&got.1));
    findings.compare(case, "sign-in parameters", recorded, asked);
    let recorded: Vec<Set> =
        vector.list("signin/set_cookie").iter().map(|line| Set::read(line.as_str().unwrap())).collect();
    let sent = sent_cookies(&answer.headers);
    let own = sent.iter().filter(|cookie| is_transaction(&cookie.name)).count();
    assert_eq!(own, 1, "{case}: one cookie holds all of it");
    findings.compare(case, "sign-in cookies", shapes(&recorded), shapes(&sent));
    let cookies = answer.cookies();
    Begun {
        cookies: cookies.iter().map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect(),
        state: got.1["state"].clone(),
        nonce: got.1.get("nonce").cloned(),
    }
}

/// Sends the recorded callback; with what was begun here where the packages have no state of their own.
async fn finish(findings: &mut Findings, case: &str, vector: &Vector, world: &World, begun: Begun) {
    let recorded_state =
        vector.opt_str("signin/authorize_params/state").filter(|_| vector.str("version") != "v3");
    let path = vector.str("callback/request/path");
    let mut cookies = sent(vector.opt_str("callback/request/headers/cookie").unwrap_or_default(), world);
    let (path, nonce) = match recorded_state {
        Some(_) => (path.to_owned(), vector.opt_str("signin/authorize_params/nonce").map(str::to_owned)),
        None => {
            if vector.case() != "missing_state_cookie" {
                cookies.extend(begun.cookies.into_iter().filter(|(name, _)| is_check(name)));
            }
            (with_state(path, vector, &begun.state), begun.nonce)
        }
    };
    world.clock.set(vector.i64("callback_now"));
    world.told.lock().unwrap().clear();
    world.provider.is_asked_with(nonce, vector.i64("callback_now"));
    let request = Request::get(path).header(header::COOKIE, line(&cookies)).body(Full::default()).unwrap();
    let answer = Browser::new(world.app.clone()).request(request).await;
    compare(findings, case, vector, world, &answer).await;
}

async fn compare(findings: &mut Findings, case: &str, vector: &Vector, world: &World, answer: &Answer) {
    findings.compare(case, "status", vector.i64("callback/status"), answer.status.as_u16().into());
    findings.compare(case, "location", vector.opt_str("callback/location"), answer.header("location"));
    let recorded: Vec<Set> =
        vector.list("callback/set_cookie").iter().map(|line| Set::read(line.as_str().unwrap())).collect();
    let sent = sent_cookies(&answer.headers);
    findings.compare(case, "cookies", shapes(&recorded), shapes(&sent));
    let got = world.claims(&sent).await;
    let expected = Some(vector.get("decoded_session").clone()).filter(|claims| !claims.is_null());
    let by_id = vector.str("version") == "v5" && vector.get("config/adapter") == false;
    let plain = |claims: Option<Value>| claims.map(|claims| plain(claims, by_id));
    findings.compare_claims(case, plain(expected), plain(got));
    let expected =
        vector.list("events").iter().map(|event| event["event"].as_str().unwrap()).collect::<Vec<_>>();
    findings.compare(case, "events", expected, world.told.lock().unwrap().clone());
    let expected: Vec<_> = vector.list("idp_requests").iter().map(Asked::recorded).collect();
    findings.compare(case, "requests", expected, world.provider.asked());
    let (given, rows) = world.outcome(vector.str("version")).await;
    compare_calls(findings, case, vector, given);
    compare_rows(findings, case, Rows::recorded(vector), rows);
}

/// What callbacks and events are given.
fn compare_calls(findings: &mut Findings, case: &str, vector: &Vector, given: Vec<Given>) {
    let recorded: Vec<_> = vector.list("callbacks").iter().map(Given::recorded).collect();
    let (recorded_redirects, mut recorded) = apart(recorded, |call| call.callback == "redirect");
    let (redirects, given) = apart(given, |call| call.callback == "redirect");
    let urls = |calls: Vec<Given>| {
        let mut urls: Vec<_> = calls.into_iter().map(|call| call.rest).collect();
        // What a sign-in keeps is asked about anew when it ends.
        urls.dedup();
        urls
    };
    findings.compare(case, "redirect", urls(recorded_redirects), urls(redirects));
    let (events, mut given) = apart(given, |call| call.callback.ends_with(" event"));
    let called = |calls: &[Given]| calls.iter().map(|call| call.callback).collect::<Vec<_>>();
    findings.compare(case, "callbacks", called(&recorded), called(&given));
    given.extend(events);
    recorded.extend(vector.list("events").iter().map(Given::of_event));
    for expected in recorded {
        // Which there are is compared above, and with the events.
        let Some(at) = given.iter().position(|call| call.callback == expected.callback) else { continue };
        compare_given(findings, case, expected, given.swap_remove(at));
    }
}

fn apart(calls: Vec<Given>, are: impl Fn(&Given) -> bool) -> (Vec<Given>, Vec<Given>) {
    calls.into_iter().partition(are)
}

fn compare_given(findings: &mut Findings, case: &str, expected: Given, mut got: Given) {
    if expected.rest["trigger"].is_null() && got.callback == "jwt" && case.starts_with("v3/") {
        got.rest["trigger"] = Value::Null; // It has none.
    }
    let [user, account, members, profile, rest] = match expected.callback {
        "signIn" => ["signIn user", "signIn account", "signIn account members", "signIn profile", "signIn"],
        "jwt" => ["jwt user", "jwt account", "jwt account members", "jwt profile", "jwt"],
        "signIn event" => [
            "signIn event user",
            "signIn event account",
            "signIn event account members",
            "signIn event profile",
            "signIn event",
        ],
        "linkAccount event" => [
            "linkAccount event user",
            "linkAccount event account",
            "linkAccount event account members",
            "linkAccount event profile",
            "linkAccount event",
        ],
        _ => ["createUser event"; 5],
    };
    findings.compare(case, user, expected.user, got.user);
    compare_accounts(findings, case, [account, members], expected.account, got.account);
    findings.compare(case, profile, expected.profile, got.profile);
    findings.compare(case, rest, expected.rest, got.rest);
}

fn compare_rows(findings: &mut Findings, case: &str, expected: Rows, got: Rows) {
    findings.compare(case, "rows of users", expected.users, got.users);
    findings.compare(case, "rows of sessions", expected.sessions, got.sessions);
    let whose = |accounts: &[(String, Map<String, Value>)]| {
        accounts.iter().map(|(user, _)| user.clone()).collect::<Vec<_>>()
    };
    findings.compare(case, "rows of accounts", whose(&expected.accounts), whose(&got.accounts));
    for ((_, expected), (_, got)) in expected.accounts.into_iter().zip(got.accounts) {
        compare_accounts(findings, case, ["columns of accounts", "members of accounts"], expected, got);
    }
}

/// Compares which members both have, and then the values of those that both have.
fn compare_accounts(
    findings: &mut Findings,
    case: &str,
    [values, members]: [&'static str; 2],
    mut expected: Map<String, Value>,
    mut got: Map<String, Value>,
) {
    let names = |account: &Map<String, Value>| account.keys().cloned().collect::<BTreeSet<_>>();
    let (expected_names, got_names) = (names(&expected), names(&got));
    expected.retain(|name, _| got_names.contains(name));
    got.retain(|name, _| expected_names.contains(name));
    findings.compare(case, members, expected_names, got_names);
    findings.compare(case, values, expected, got);
}

fn with_state(path: &str, vector: &Vector, state: &str) -> String {
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let mut params: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if vector.case() != "wrong_state" {
        params.retain(|(name, _)| name != "state");
        params.push(("state".to_owned(), state.to_owned()));
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{place}?{query}")
}

/// Cookies without what is random in their values.
fn shapes(cookies: &[Set]) -> BTreeSet<Set> {
    let shape = |cookie: &Set| {
        let random = !cookie.value.is_empty() && !cookie.name.ends_with("callback-url");
        let value = if random { "random".to_owned() } else { cookie.value.clone() };
        Set { value, ..cookie.clone() }
    };
    authorization::shared(cookies, shape).collect()
}

/// Claims without what is random in them.
fn plain(mut claims: Value, by_id: bool) -> Value {
    let is_uuid =
        |value: &Value| value.as_str().is_some_and(|id| id.len() == 36 && id.matches('-').count() == 4);
    for name in if by_id { &["jti", "sub"][..] } else { &["jti"] } {
        if let Some(id) = claims.get_mut(*name) {
            *id = json!(is_uuid(id));
        }
    }
    claims
}

/// The recorded cookies, with the session of this world in place of the recorded one.
fn sent(recorded: &str, world: &World) -> BTreeMap<String, String> {
    let pairs = recorded.split("; ").filter_map(|pair| pair.split_once('='));
    let others = pairs.filter(|(name, _)| !name.contains("session-token"));
    others.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(world.session.clone()).collect()
}

fn line(cookies: &BTreeMap<String, String>) -> String {
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}
