//! What the userinfo endpoint answers (OpenID Connect Core section 5.3).

use portcullis::{Dialect, ProfileMap};
use serde_json::{Value, json};

use crate::{
    provider::{Case, Provider, Reply, pairs},
    site::{Fault, at_provider, begin, browser, builder, is_signed_in, oidc, sign_in},
    support::ORIGIN,
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

/// S37: what a browser adds to the answer of a provider says nothing of who its user is.
#[tokio::test]
async fn s37_the_browser_does_not_write_the_profile() {
    let time = Time::at_noon();
    let acme = Provider::start(&time);
    let map = ProfileMap { id: &["/user/id", "/sub"], email: &["/user/email", "/email"], ..ProfileMap::OIDC };
    let forged = "user=%7B%22id%22%3A%22victim%22%2C%22email%22%3A%22victim%40example.com%22%7D";
    for form_post in [false, true] {
        let provider = oidc("acme", &acme).profile_map(map);
        let provider = if form_post { provider.form_post() } else { provider };
        let auth = builder(&time).provider(provider).build().unwrap();
        for signed in [false, true] {
            acme.plan(|plan| {
                if signed {
                    plan.user["user"] = json!({ "id": "alice-2" });
                }
            });
            let mut browser = browser(&auth);
            let url = begin(&mut browser, "acme").await.unwrap();
            let back = format!("{}&{forged}", at_provider(&url).await);
            let answer = if form_post {
                let (path, form) = back.split_once('?').unwrap();
                let fields = pairs(form.as_bytes());
                let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
                let on = browser.post(path, &fields).await.header("location").unwrap().to_owned();
                browser.get(on.strip_prefix(ORIGIN).unwrap_or(&on)).await
            } else {
                browser.get(&back).await
            };
            is_signed_in("acme", &answer);
            let who = browser.who().await;
            assert_eq!(who, if signed { "alice-2" } else { "alice-1" }, "form_post: {form_post}");
        }
    }
}
