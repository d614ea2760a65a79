//! Answers of a server, or of what stands in front of it, that are no answers to a form.

use portcullis::client::{Client, ClientErrorKind, NativeSignIn, SignIn, SignInOptions};
use serde_json::json;

use crate::{
    replies::{Replies, Reply},
    support::ORIGIN,
};

fn client(replies: &Replies) -> Client {
    Client::builder(ORIGIN).http_client(replies.http()).build().unwrap()
}

/// Such as those of a limit on requests.
#[tokio::test]
async fn an_error_that_names_no_url_is_one() {
    for status in [400, 403, 429, 500, 503] {
        for body in [json!({ "message": "Too many requests" }), json!({ "url": null }), json!({ "url": 1 })] {
            let reply = Reply::json(&body).with_status(status);
            let replies = Replies::new()
                .with("POST callback/credentials", reply.clone())
                .with("POST signin/acme", reply.clone())
                .with("POST signout", reply);
            let client = client(&replies);
            for redirect in [true, false] {
                for provider in ["credentials", "acme"] {
                    let options = SignInOptions::new().redirect(redirect);
                    let error = client.sign_in(provider, options, &[]).await.unwrap_err();
                    assert_eq!(error.kind(), ClientErrorKind::Status, "{provider} {body}");
                    assert_eq!(error.status().unwrap().as_u16(), status, "{provider} {body}");
                }
            }
            let opened = |url: &str| unreachable!("{url} is opened");
            let error = client.sign_in_native(NativeSignIn::at("acme"), opened).await.unwrap_err();
            assert_eq!(error.status().unwrap().as_u16(), status, "{body}");
            let error = client.sign_out(Default::default()).await.unwrap_err();
            assert_eq!(error.status().unwrap().as_u16(), status, "{body}");
        }
    }
}

/// What names one is the server's own answer.
#[tokio::test]
async fn an_error_that_names_a_url_is_a_refusal() {
    let reply = Reply::json(&json!({ "url": "/api/auth/error?error=CredentialsSignin" })).with_status(401);
    let client = client(&Replies::new().with("POST callback/credentials", reply));
    for redirect in [true, false] {
        let options = SignInOptions::new().redirect(redirect);
        let outcome = client.sign_in("credentials", options, &[]).await.unwrap();
        assert_eq!(outcome.error().as_deref(), Some("CredentialsSignin"));
    }
}

/// It goes where it was to go; a program that is no browser has nowhere to open.
#[tokio::test]
async fn a_success_that_names_no_url() {
    let replies = Replies::new()
        .with("POST callback/credentials", Reply::status(200))
        .with("POST signin/acme", Reply::status(200));
    let client = client(&replies);
    let options = SignInOptions::new().callback_url("/after");
    let outcome = client.sign_in("credentials", options, &[]).await.unwrap();
    assert_eq!(outcome, SignIn::Redirect(format!("{ORIGIN}/after")));
    let opened = |url: &str| unreachable!("{url} is opened");
    let error = client.sign_in_native(NativeSignIn::at("acme"), opened).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Shape);
}

const BACK: &str = "http://localhost:3000/api/auth/callback/acme?code=1&state=2";

/// Servers lead to the page that begins a sign-in when they cannot use the profile, and say nothing else. Auth.js 5
/// adds its path to the URL that it was asked for.
#[tokio::test]
async fn a_callback_that_leads_back_to_the_beginning_is_a_refusal() {
    for (location, error) in [
        ("http://localhost:3000/api/auth/signin", Some("Callback")),
        ("/api/auth/signin", Some("Callback")),
        ("/api/auth/signin?callbackUrl=%2Fafter", Some("Callback")),
        ("http://127.0.0.1:4321/api/auth/signin", Some("Callback")),
        ("/api/auth/signin?error=OAuthAccountNotLinked", Some("OAuthAccountNotLinked")),
        ("http://localhost:3000/api/auth/callback/acme?code=1/signin", Some("OAuthCallback")),
        ("http://localhost:3000/api/auth/callback/acme?code=1&state=2/signin", Some("OAuthCallback")),
        // Where a program without the site's leave is led to in the end.
        ("http://127.0.0.1:4321/api/auth/callback/acme", None),
        ("/signin", None),
        ("/after", None),
    ] {
        let reply = Reply::status(302).with_location(location);
        let client = client(&Replies::new().with("callback/acme", reply));
        let done = client.complete_sign_in(BACK).await.unwrap();
        assert_eq!(done.error.as_deref(), error, "{location}");
        assert_eq!(done.url.is_none(), error.is_some(), "{location}");
    }
}

/// Such as a proxy whose server is away.
#[tokio::test]
async fn a_callback_that_fails_is_an_error() {
    for reply in [
        Reply::status(502),
        Reply::status(502).with_location("/after"),
        Reply::status(404),
        Reply::status(302),
        Reply::status(304),
    ] {
        let client = client(&Replies::new().with("callback/acme", reply.clone()));
        let error = client.complete_sign_in(BACK).await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Status, "{error}");
        assert_eq!(error.status(), Some(reply.code()), "{error}");
        assert!(!error.to_string().contains("state=2"), "{error}");
    }
    let down = client(&Replies::new().with("callback/acme", Reply::down()));
    assert_eq!(down.complete_sign_in(BACK).await.unwrap_err().kind(), ClientErrorKind::Unavailable);
}
