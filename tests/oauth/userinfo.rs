//! What the userinfo endpoint answers (OpenID Connect Core section 5.3).

use portcullis::Dialect;
use serde_json::{Value, json};

use crate::{
    provider::{Case, Provider, Reply},
    site::{Fault, browser, builder, is_signed_in, oidc, sign_in},
    time::Time,
};

const FAULTS: &[Case<Value, Reply>] = &[
    ("somebody else", |mut user| {
        user["sub"] = "mallory".into();
        Reply::json(user)
    }),
    ("somebody else in other letters", |mut user| {
        user["sub"] = "ALICE-1".into();
        Reply::json(user)
    }),
    ("nobody", |mut user| {
        user.as_object_mut().unwrap().remove("sub");
        Reply::json(user)
    }),
    ("no text", |mut user| {
        user["sub"] = json!(["alice-1"]);
        Reply::json(user)
    }),
    ("an error", |_| Reply::error(401, "invalid_token")),
    ("a profile with an error", |user| Reply::of(403, "application/json", user.to_string())),
    ("out of order", |_| Reply::error(500, "server_error")),
    ("elsewhere", |_| Reply::redirect("/trap")),
    ("huge", Reply::huge),
    ("slow", |_| Reply::Slow("{")),
    ("cut off", |_| Reply::Cut("{")),
    ("a page", |_| Reply::of(200, "text/html", "<!doctype html>")),
    ("JSON that is called a page", |user| Reply::of(200, "text/html", user.to_string())),
    ("a list of several", |user| Reply::json(json!([user, { "sub": "mallory" }]))),
    ("a list of somebody else", |_| Reply::json(json!([{ "sub": "mallory" }]))),
    ("an empty list", |_| Reply::json(json!([]))),
    ("null", |_| Reply::json(Value::Null)),
    ("a text", |_| Reply::json("alice-1".into())),
];

/// S36: what is not about the user of the ID token is not used.
#[tokio::test]
async fn s36_userinfo_is_about_the_same_user() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let acme = oidc("acme", &provider).reading_userinfo();
        let auth = builder(&time).dialect(dialect).provider(acme).build().unwrap();
        let mut browser = browser(&auth);
        for (case, userinfo) in FAULTS {
            provider.plan(|plan| plan.userinfo = *userinfo);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser, "acme").await);
            assert_eq!(browser.who().await, "nobody", "{dialect}: {case}");
        }
        provider.plan(|plan| plan.userinfo = |user| Reply::json(json!([user])));
        is_signed_in("a list of one", &sign_in(&mut browser, "acme").await);
    }
}

/// S36: what was signed counts for more than what was not.
#[tokio::test]
async fn s36_what_was_signed_stays() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = builder(&time).provider(oidc("acme", &provider).reading_userinfo()).build().unwrap();
    provider.plan(|plan| {
        plan.userinfo = |_| {
            Reply::json(json!({ "sub": "alice-1", "name": "Mallory", "email": "mallory@example.com", "picture": "https://id.example/a.png" }))
        }
    });
    let mut browser = browser(&auth);
    is_signed_in("joined", &sign_in(&mut browser, "acme").await);
    let user = browser.session().await["user"].clone();
    let expected =
        json!({ "name": "Alice", "email": "alice@example.com", "image": "https://id.example/a.png" });
    assert_eq!(user, expected);
    let sent = &provider.seen("/userinfo")[0];
    assert!(sent.headers["authorization"].to_str().unwrap().starts_with("Bearer access-to-code-"));
}
