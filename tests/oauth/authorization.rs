//! The authorization request, and PKCE (RFC 7636).

use std::collections::BTreeMap;

use portcullis::{Dialect, OAuth, Quirks};
use serde_json::Value;

use crate::{
    provider::{CLIENT, CLIENT_SECRET, Case, Provider, Reply, challenge},
    site::{
        Fault, at_provider, begin, begin_with, browser, builder, is_signed_in, oidc, param, params, sign_in,
        site,
    },
    support::ORIGIN,
    time::Time,
};

/// S33: the verifier is sent, and by S256, whatever the provider says of itself or does.
#[tokio::test]
async fn s33_pkce_whatever_the_provider_says() {
    let plans: &[Case<Value, Reply>] = &[
        ("nothing", Reply::json),
        ("plain alone", |mut document| {
            document["code_challenge_methods_supported"] = serde_json::json!(["plain"]);
            Reply::json(document)
        }),
        ("no method", |mut document| {
            document["code_challenge_methods_supported"] = serde_json::json!([]);
            Reply::json(document)
        }),
    ];
    for dialect in Dialect::ALL {
        for (case, discovery) in plans {
            let time = Time::at_noon();
            let provider = Provider::start(&time);
            provider.plan(|plan| plan.discovery = *discovery);
            let mut browser = browser(&site(dialect, &time, &provider));
            let url = begin(&mut browser, "acme").await.unwrap();
            assert_eq!(param(&url, "code_challenge_method"), "S256", "{case}");
            is_signed_in(case, &browser.get(&at_provider(&url).await).await);
            let sent = provider.seen("/token").remove(0).form;
            assert_eq!(challenge(&sent["code_verifier"]), param(&url, "code_challenge"), "{case}");
            assert!(sent["code_verifier"].len() >= 43, "RFC 7636 section 4.1");
            assert!(!url.contains(&sent["code_verifier"]), "{case}: the verifier was in a URL");
        }
    }
}

/// S33: a code that was caught is worth nothing in another sign-in.
#[tokio::test]
async fn s33_codes_cannot_be_injected() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let mut victim = browser(&auth);
        let caught = at_provider(&begin(&mut victim, "acme").await.unwrap()).await;
        let mut attacker = browser(&auth);
        let own = at_provider(&begin(&mut attacker, "acme").await.unwrap()).await;
        let injected = own.replace(&param(&own, "code"), &param(&caught, "code"));
        Fault::Exchange.is_told("injected", dialect, &attacker.get(&injected).await);
        assert_eq!(attacker.who().await, "nobody");
    }
}

/// S33: it is off only where that was configured by name.
#[tokio::test]
async fn s33_without_pkce_is_a_choice() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = builder(&time).provider(oidc("acme", &provider).without_pkce()).build().unwrap();
    let mut browser = browser(&auth);
    let url = begin(&mut browser, "acme").await.unwrap();
    assert!(!url.contains("code_challenge"));
    is_signed_in("without", &browser.get(&at_provider(&url).await).await);
    assert!(!provider.seen("/token")[0].form.contains_key("code_verifier"));
}

/// What the flow sets is nothing that a client of the site, or whoever made the form, can change.
#[tokio::test]
async fn s32_the_client_cannot_change_what_binds() {
    let evil = "https%3A%2F%2Fevil.example";
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        for name in [
            "redirect_uri",
            "state",
            "client_id",
            "response_type",
            "response_mode",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "request",
            "request_uri",
            "callbackUrl",
        ] {
            let mut browser = browser(&auth);
            let url =
                begin_with(&mut browser, "acme", &format!("?{name}={evil}&prompt=login")).await.unwrap();
            assert!(!url.contains("evil"), "{dialect}: {name}: {url}");
            assert_eq!(param(&url, "prompt"), "login");
            assert_eq!(param(&url, "redirect_uri"), format!("{ORIGIN}/api/auth/callback/acme"));
            assert_eq!(param(&url, "client_id"), CLIENT);
            is_signed_in(name, &browser.get(&at_provider(&url).await).await);
        }
    }
}

/// Nor where a provider has other names for it.
#[tokio::test]
async fn s32_other_names_are_bound_too() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let mut quirks = Quirks::NONE;
    quirks.client_id = "appid";
    let auth = builder(&time).provider(oidc("acme", &provider).quirks(quirks)).build().unwrap();
    let url = begin_with(&mut browser(&auth), "acme", "?appid=evil&client_id=evil").await.unwrap();
    assert_eq!(param(&url, "appid"), CLIENT);
    assert!(!url.contains("evil"), "{url}");
    let own = oidc("acme", &provider).quirks(quirks).authorization_param("appid", "evil");
    assert!(builder(&time).provider(own).build().is_err());
}

/// A client may ask for what does not bind, within bounds, and each name is sent once.
#[tokio::test]
async fn s96_parameters_of_the_client_are_bounded() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let query = "?prompt=login&prompt=none&login_hint=a%26state%3Dx&scope=openid";
    let url = begin_with(&mut browser(&auth), "acme", query).await.unwrap();
    let sent: BTreeMap<_, _> = params(&url).into_iter().collect();
    assert_eq!((sent["login_hint"].as_str(), sent["scope"].as_str()), ("a&state=x", "openid"));
    assert!(!sent.contains_key("prompt"), "one that is there twice is none");
    assert_eq!(sent.len(), params(&url).len(), "a name was sent twice");
    let long = format!("?hint={}", "x".repeat(8000));
    let url = begin_with(&mut browser(&auth), "acme", &long).await.unwrap();
    assert!(url.len() < 4000, "{}", url.len());
}

/// Without a CSRF token nobody is sent anywhere: not by a link, nor by a form of another site.
#[tokio::test]
async fn s30_a_sign_in_begins_with_a_csrf_token() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let mut browser = browser(&auth);
        browser.csrf_token().await;
        let by_link = browser.get("/api/auth/signin/acme").await;
        assert!(!by_link.header("location").unwrap_or_default().contains("/authorize"));
        for fields in [&[][..], &[("csrfToken", "")], &[("csrfToken", "0000")]] {
            let answer = browser.post("/api/auth/signin/acme", fields).await;
            assert!(answer.header("location").unwrap().starts_with(ORIGIN), "{dialect}: {fields:?}");
            assert!(answer.cookies().iter().all(|cookie| !cookie.name().contains(".state")));
        }
        assert!(provider.seen("/.well-known/openid-configuration").is_empty());
    }
}

/// The secret goes to the token endpoint alone.
#[tokio::test]
async fn the_secret_is_in_no_url() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let mut browser = browser(&site(Dialect::V5, &time, &provider));
    let url = begin(&mut browser, "acme").await.unwrap();
    assert!(!url.contains("s%3Ae"), "{url}");
    is_signed_in("good", &browser.get(&at_provider(&url).await).await);
    let sent = provider.seen("/token").remove(0);
    assert!(!sent.form.contains_key("client_secret"));
    let auth = OAuth::oidc("acme", &provider.issuer, CLIENT, CLIENT_SECRET);
    assert!(!format!("{auth:?}").contains(CLIENT_SECRET));
    assert!(sign_in(&mut browser, "acme").await.header("location").is_some());
}
