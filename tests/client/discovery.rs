//! A client that is not told which dialect its server speaks.

use portcullis::{
    Dialect,
    client::{Client, SignInOptions, SignOutOptions},
};
use serde_json::json;

use crate::{
    npm::replay,
    replies::{Replies, Reply},
    support::{ORIGIN, findings::Deliberate},
    vectors::DELIBERATE,
};

/// In what a client differs that has yet to see a token.
const UNKNOWN: &[Deliberate] = &[
    Deliberate { cases: &["v3/*"], aspects: &["content types"], reason: "client-dialect" },
    Deliberate {
        cases: &["v5/update/no_argument", "v5/update/while_unauthenticated"],
        aspects: &["requests", "content types", "X-Auth-Return-Redirect", "bodies"],
        reason: "client-dialect",
    },
];

#[tokio::test(start_paused = true)]
async fn a_client_finds_out_which_dialect_it_is() {
    replay(false).await.settle(&[DELIBERATE, UNKNOWN].concat());
}

#[tokio::test]
async fn the_names_of_cookies_show_the_dialect() {
    for (origin, name, dialect) in [
        ("http://localhost:3000", "next-auth.csrf-token", Dialect::V4),
        ("http://localhost:3000", "authjs.csrf-token", Dialect::V5),
        ("https://app.example", "__Host-next-auth.csrf-token", Dialect::V4),
        ("https://app.example", "__Host-authjs.csrf-token", Dialect::V5),
        ("https://app.example", "__Secure-authjs.csrf-token", Dialect::V5),
    ] {
        let (client, _) = client(origin, &format!("{name}=token%7Chash; Path=/; HttpOnly; Secure"));
        assert_eq!(client.dialect(), None);
        assert_eq!(client.get_csrf_token().await.unwrap(), "token");
        assert_eq!(client.dialect(), Some(dialect), "{name}");
        assert_eq!(client.clone().dialect(), Some(dialect), "a clone is the same visitor");
    }
}

/// A site that has moved from v4 to v5 leaves cookies of both behind.
#[tokio::test]
async fn cookies_of_both_show_nothing() {
    let (client, replies) = client(ORIGIN, "next-auth.csrf-token=old; Path=/");
    replies
        .set("csrf", token("next-auth.csrf-token=old; Path=/").with_cookie("authjs.csrf-token=new; Path=/"));
    client.get_csrf_token().await.unwrap();
    assert_eq!(client.dialect(), None);
}

/// A program runs on while its site moves to another generation.
#[tokio::test]
async fn a_client_notices_that_its_site_has_moved() {
    const OLD: &str = "next-auth.csrf-token=old%7Chash; Path=/";
    const NEW: &str = "authjs.csrf-token=new%7Chash; Path=/";
    for (from, to) in [
        (("old", OLD, Dialect::V4), ("new", NEW, Dialect::V5)),
        (("new", NEW, Dialect::V5), ("old", OLD, Dialect::V4)),
    ] {
        let given = |(token, cookie, _)| Reply::json(&json!({ "csrfToken": token })).with_cookie(cookie);
        let replies = Replies::new().with("csrf", given(from));
        let client = Client::builder(ORIGIN).http_client(replies.http()).build().unwrap();
        for (token, cookie, dialect) in [from, to] {
            replies.set("csrf", given((token, cookie, dialect)));
            let options = SignInOptions::new().field("username", "u").redirect(false);
            let _ = client.sign_in("credentials", options, &[]).await.unwrap();
            assert_eq!(client.dialect(), Some(dialect));
            let sent = replies.last();
            let is_v5 = dialect == Dialect::V5;
            assert_eq!(sent.header("x-auth-return-redirect").is_some(), is_v5);
            assert_eq!(sent.form().contains(&("json".to_owned(), "true".to_owned())), !is_v5);
        }
        // To one whose cookies have names of its own.
        let renamed = Reply::json(&json!({ "csrfToken": "other" })).with_cookie("mine=other%7Chash; Path=/");
        replies.set("csrf", renamed);
        client.sign_out(SignOutOptions::new()).await.unwrap();
        assert_eq!(client.dialect(), None);
    }
}

#[tokio::test]
async fn what_is_set_is_not_found_out() {
    let replies = Replies::new().with("csrf", token("next-auth.csrf-token=token; Path=/"));
    let client = Client::builder(ORIGIN).dialect(Dialect::V5).http_client(replies.http()).build().unwrap();
    client.get_csrf_token().await.unwrap();
    assert_eq!(client.dialect(), Some(Dialect::V5));
}

/// Where the cookies have names of the application's own, both ways to ask for JSON are sent: one of them counts.
#[tokio::test]
async fn names_of_ones_own_leave_it_open() {
    let (client, replies) = client(ORIGIN, "mine=token%7Chash; Path=/; HttpOnly");
    let options = SignInOptions::new().field("username", "u").callback_url("/dash").redirect(false);
    let outcome = client.sign_in("credentials", options, &[]).await.unwrap();
    assert_eq!(outcome.url(), Some("http://localhost:3000/"));
    let sent = replies.last();
    assert_eq!(sent.endpoint(), "POST callback/credentials");
    assert_eq!(sent.header("x-auth-return-redirect"), Some("1"));
    assert_eq!(
        String::from_utf8_lossy(&sent.body),
        "username=u&callbackUrl=%2Fdash&redirect=false&csrfToken=token&json=true"
    );
    client.sign_out(SignOutOptions::new()).await.unwrap();
    let sent = replies.last();
    assert_eq!(sent.endpoint(), "POST signout");
    assert_eq!(sent.header("x-auth-return-redirect"), Some("1"));
    assert_eq!(sent.form().pop(), Some(("json".to_owned(), "true".to_owned())));
    assert_eq!(client.dialect(), None);
}

/// A server that is asked twice at once gives two tokens, of which the later cookie stays.
#[tokio::test]
async fn a_token_whose_cookie_was_replaced_is_asked_for_again() {
    let (client, replies) = client(ORIGIN, "next-auth.csrf-token=another%7Chash; Path=/");
    client.get_csrf_token().await.unwrap();
    let asked = replies.asked().len();
    assert!((2..10).contains(&asked), "the cookie is always that of another token: asked {asked} times");
    replies.set("csrf", token("next-auth.csrf-token=token%7Chash; Path=/"));
    client.get_csrf_token().await.unwrap();
    assert_eq!(replies.asked().len(), asked + 1);
}

/// An option that is named twice counts once, as a member of an object does.
#[tokio::test]
async fn the_last_of_two_counts() {
    let (client, replies) = client(ORIGIN, "next-auth.csrf-token=token; Path=/");
    let options = SignInOptions::new()
        .callback_url("/first")
        .field("username", "a")
        .field("username", "b")
        .callback_url("/second");
    let _ = client.sign_in("credentials", options, &[]).await.unwrap();
    let body = String::from_utf8_lossy(&replies.last().body).into_owned();
    assert_eq!(body, "callbackUrl=%2Fsecond&username=b&csrfToken=token&json=true");
}

fn client(origin: &str, cookie: &str) -> (Client, Replies) {
    let replies = Replies::new().with("csrf", token(cookie));
    (Client::builder(origin).http_client(replies.http()).build().unwrap(), replies)
}

fn token(cookie: &str) -> Reply {
    Reply::json(&json!({ "csrfToken": "token" })).with_cookie(cookie)
}
