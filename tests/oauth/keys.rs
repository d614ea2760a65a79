//! The keys of ID tokens: read when they are needed, and not too often.

use portcullis::Dialect;
use serde_json::{Value, json};

use crate::{
    provider::{Case, Provider, Reply, signed_as},
    site::{Fault, browser, is_signed_in, sign_in, site},
    time::Time,
};

fn stranger(claims: &Value) -> String {
    signed_as(&json!({ "alg": "EdDSA", "kid": "stranger" }), claims)
}

/// S39: however many tokens name an unknown key, the keys are asked for once a minute at most.
#[tokio::test]
async fn s39_a_flood_of_unknown_keys() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    is_signed_in("before", &sign_in(&mut browser(&auth), "acme").await);
    assert_eq!(provider.seen("/keys").len(), 1);
    provider.plan(|plan| plan.sign = stranger);
    for minute in 0..3 {
        time.pass(60);
        for _ in 0..20 {
            Fault::Exchange.is_told("unknown", Dialect::V4, &sign_in(&mut browser(&auth), "acme").await);
        }
        assert_eq!(provider.seen("/keys").len(), 1, "minute {minute}");
    }
    provider.plan(|_| {});
    is_signed_in("after", &sign_in(&mut browser(&auth), "acme").await);
}

/// S39: within the first minute not even once.
#[tokio::test]
async fn s39_a_flood_at_the_start() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    provider.plan(|plan| plan.sign = stranger);
    for _ in 0..20 {
        Fault::Exchange.is_told("unknown", Dialect::V4, &sign_in(&mut browser(&auth), "acme").await);
    }
    assert_eq!(provider.seen("/keys").len(), 1);
}

/// S39: keys that were changed are found without a failed sign-in.
#[tokio::test]
async fn s39_new_keys_are_found() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    provider.plan(|plan| {
        plan.keys = |set| Reply::json(json!({ "keys": [set["keys"][0]] }));
    });
    Fault::Exchange.is_told("not published", Dialect::V4, &sign_in(&mut browser(&auth), "acme").await);
    provider.plan(|_| {});
    time.pass(60);
    is_signed_in("published", &sign_in(&mut browser(&auth), "acme").await);
}

/// S39, S40: a set that is broken opens nothing, and holds up nobody.
#[tokio::test]
async fn s39_s40_broken_key_sets() {
    let faults: &[Case<Value, Reply>] = &[
        ("huge", Reply::huge),
        ("endless", |_| Reply::Endless),
        ("slow", |_| Reply::Slow("{")),
        ("cut off", |_| Reply::Cut("{")),
        ("hung up", |_| Reply::HangUp),
        ("elsewhere", |_| Reply::redirect("/trap")),
        ("out of order", |_| Reply::error(500, "server_error")),
        ("a page", |_| Reply::of(200, "text/html", "<!doctype html>")),
        ("empty", |_| Reply::json(json!({ "keys": [] }))),
        ("a list", |set| Reply::json(set["keys"].clone())),
        ("two with one name", |set| Reply::json(json!({ "keys": [set["keys"][3], set["keys"][3]] }))),
        ("a key for other uses", |mut set| {
            set["keys"][3]["use"] = "enc".into();
            Reply::json(set)
        }),
        ("a key of another algorithm", |mut set| {
            set["keys"][3]["alg"] = "ES256".into();
            Reply::json(set)
        }),
    ];
    for dialect in Dialect::ALL {
        for (case, keys) in faults {
            let time = Time::at_noon();
            let provider = Provider::start(&time);
            let auth = site(dialect, &time, &provider);
            provider.plan(|plan| plan.keys = *keys);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser(&auth), "acme").await);
        }
    }
}
