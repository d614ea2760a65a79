//! What the token endpoint answers (RFC 6749 section 5).

use portcullis::Dialect;
use serde_json::{Value, json};

use crate::{
    provider::{Case, Provider, Reply},
    site::{Fault, browser, is_signed_in, sign_in, site},
    time::Time,
};

const FAULTS: &[Case<Value, Reply>] = &[
    ("an error", |_| Reply::error(400, "invalid_grant")),
    ("an error of the client", |_| Reply::error(401, "invalid_client")),
    ("an error that is called a success", |mut answer| {
        answer["error"] = "access_denied".into();
        Reply::json(answer)
    }),
    ("an error that is no text", |mut answer| {
        answer["error"] = json!({ "code": 1 });
        Reply::json(answer)
    }),
    ("out of order", |_| Reply::error(500, "server_error")),
    ("out of order, with tokens", |answer| Reply::of(500, "application/json", answer.to_string())),
    ("too many requests", |_| Reply::error(429, "slow_down")),
    ("tokens with a refusal", |answer| Reply::of(403, "application/json", answer.to_string())),
    ("elsewhere", |_| Reply::redirect("/trap")),
    ("elsewhere, with tokens", |answer| Reply::of(307, "application/json", answer.to_string())),
    ("huge", Reply::huge),
    ("endless", |_| Reply::Endless),
    ("slow", |_| Reply::Slow("")),
    ("slow in the middle", |_| Reply::Slow("{\"access_token\":")),
    ("cut off", |_| Reply::Cut("{\"access_token\":")),
    ("hung up", |_| Reply::HangUp),
    ("truncated", |answer| {
        let text = answer.to_string();
        Reply::of(200, "application/json", text[..text.len() - 1].to_owned())
    }),
    ("a page", |_| Reply::of(200, "text/html", "<!doctype html>")),
    ("JSON that is called a page", |answer| Reply::of(200, "text/html", answer.to_string())),
    ("JSON without a type", |answer| Reply::of(200, "", answer.to_string())),
    ("a form", |_| Reply::of(200, "application/x-www-form-urlencoded", "access_token=a&token_type=bearer")),
    ("empty", |_| Reply::of(200, "application/json", "")),
    ("null", |_| Reply::json(Value::Null)),
    ("a list", |answer| Reply::json(json!([answer]))),
    ("no access token", |mut answer| {
        answer.as_object_mut().unwrap().remove("access_token");
        Reply::json(answer)
    }),
    ("an empty access token", |mut answer| {
        answer["access_token"] = "".into();
        Reply::json(answer)
    }),
    ("an access token that is no text", |mut answer| {
        answer["access_token"] = 1.into();
        Reply::json(answer)
    }),
    ("no ID token", |mut answer| {
        answer.as_object_mut().unwrap().remove("id_token");
        Reply::json(answer)
    }),
    ("an ID token that is no text", |mut answer| {
        answer["id_token"] = json!({ "sub": "alice-1" });
        Reply::json(answer)
    }),
];

/// S40, S43: each has the code of the dialect, and none waits, follows or believes.
#[tokio::test]
async fn s40_s43_broken_answers_sign_nobody_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let mut browser = browser(&site(dialect, &time, &provider));
        for (case, token) in FAULTS {
            provider.plan(|plan| plan.token = *token);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser, "acme").await);
            assert_eq!(browser.who().await, "nobody", "{dialect}: {case}");
            // A code is not tried twice.
            assert_eq!(provider.seen("/token").len(), 1, "{dialect}: {case}");
        }
        provider.plan(|_| {});
        is_signed_in("good", &sign_in(&mut browser, "acme").await);
    }
}
