//! The session from its update to its end.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, header::COOKIE};
use portcullis::{
    Dialect,
    client::{
        Client, ClientErrorKind, CookieJar, JarFile, SessionProvider, SessionState, SessionStatus,
        SignOutOptions,
    },
    http_client::{HttpClient, HyperClient},
};
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use crate::{
    browser::led_to,
    provider::LONG_NAME,
    services::unique,
    visit::{Visit, jsmith, name, same_page},
};

pub async fn update(visit: Visit) {
    let client = visit.client();
    visit.sign_in(&client).await;
    let updated = client.update(json!({ "name": "Zoë 日本語 🦀" })).await;
    if visit.dialect() == Dialect::V3 {
        visit.has_no_update(&updated.unwrap_err());
        assert_eq!(name(&client).await.as_deref(), Some("J Smith"));
        return;
    }
    assert_eq!(updated.unwrap().unwrap().user.name.as_deref(), Some("Zoë 日本語 🦀"));
    assert_eq!(name(&client).await.as_deref(), Some("Zoë 日本語 🦀"), "it is kept");
    let again = client.update(None).await.unwrap().unwrap();
    assert_eq!(again.user.name.as_deref(), Some("Zoë 日本語 🦀"));
    assert_eq!(again.user.get_str("role"), Some("user"));
}

pub async fn sign_out(visit: Visit) {
    for (goal, expected) in [
        (None, visit.at("")),
        (Some("/bye"), visit.at("/bye")),
        (Some("https://other.example"), visit.at("")),
    ] {
        let client = visit.client();
        visit.sign_in(&client).await;
        assert!(client.jar().get(visit.url().as_str(), visit.session_cookie()).await.is_some());
        let options = goal.into_iter().fold(SignOutOptions::new(), |options, url| options.callback_url(url));
        let url = client.sign_out(options).await.unwrap();
        assert_eq!(same_page(&url), expected, "{goal:?}");
        assert_eq!(client.jar().get(visit.url().as_str(), visit.session_cookie()).await, None);
        assert_eq!(client.get_session().await.unwrap(), None);
        // Nobody can be signed out, too.
        client.sign_out(SignOutOptions::new()).await.unwrap();
        assert_eq!(visit.sign_in(&client).await.error, None, "and in again");
        assert_eq!(name(&client).await.as_deref(), Some("J Smith"));
    }
}

/// Who ends a program and starts it again is still signed in.
pub async fn kept_in_a_file(visit: Visit) {
    let file = Gone(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.json", unique())));
    let opened = async || {
        let jar = CookieJar::open(JarFile::new(&file.0)).await.unwrap();
        visit.builder().jar(jar).build().unwrap()
    };
    let client = opened().await;
    visit.sign_in(&client).await;
    drop(client);
    let client = opened().await;
    assert_eq!(name(&client).await.as_deref(), Some("J Smith"));
    client.sign_out(SignOutOptions::new()).await.unwrap();
    assert_eq!(name(&opened().await).await, None);
}

/// All of them remove what is no session of theirs: that is how "nobody" is told from "not known".
pub async fn no_session(visit: Visit) {
    let spoil: [fn(&str) -> String; 3] =
        [|token| format!("{token}x"), |token| token[..token.len() / 2].to_owned(), |_| "x".to_owned()];
    for spoilt in spoil {
        let file = Gone(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.json", unique())));
        let opened = async || {
            let jar = CookieJar::open(JarFile::new(&file.0)).await.unwrap();
            visit.builder().jar(jar).build().unwrap()
        };
        let cookie =
            async |client: &Client| client.jar().get(visit.url().as_str(), visit.session_cookie()).await;
        let client = opened().await;
        visit.sign_in(&client).await;
        let token = cookie(&client).await.unwrap();
        let saved = fs::read_to_string(&file.0).unwrap().replace(&token, &spoilt(&token));
        fs::write(&file.0, saved).unwrap();

        let client = opened().await;
        assert_eq!(cookie(&client).await, Some(spoilt(&token)));
        assert_eq!(client.get_session().await.unwrap(), None);
        assert_eq!(cookie(&client).await, None);
    }
}

struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        for file in [&self.0, &self.0.with_extension("json.lock")] {
            let _ = fs::remove_file(file);
        }
    }
}

/// What an application watches says what it does itself, and what others do with the same jar.
pub async fn provider(visit: Visit) {
    let client = visit.client();
    let beside = visit.builder().jar(client.jar().clone()).build().unwrap();
    let provider = SessionProvider::builder(client).start().unwrap();
    let mut state = provider.use_session();
    until(&mut state, SessionStatus::Unauthenticated, None).await;

    let _ = provider.sign_in("credentials", jsmith().redirect(false), &[]).await.unwrap();
    assert_eq!(said(&provider.state()), (SessionStatus::Authenticated, Some("J Smith".to_owned())));
    if visit.dialect() != Dialect::V3 {
        let updated = provider.update(json!({ "name": "Jane" })).await.unwrap().unwrap();
        assert_eq!(updated.user.name.as_deref(), Some("Jane"));
        assert_eq!(said(&provider.state()), (SessionStatus::Authenticated, Some("Jane".to_owned())));
    }
    provider.sign_out(SignOutOptions::new()).await.unwrap();
    assert_eq!(said(&provider.state()), (SessionStatus::Unauthenticated, None));

    visit.sign_in(&beside).await;
    until(&mut state, SessionStatus::Authenticated, Some("J Smith")).await;
    if visit.dialect() != Dialect::V3 {
        beside.update(json!({ "name": "John" })).await.unwrap();
        until(&mut state, SessionStatus::Authenticated, Some("John")).await;
    }
    beside.sign_out(SignOutOptions::new()).await.unwrap();
    until(&mut state, SessionStatus::Unauthenticated, None).await;
    assert!(provider.state().error.is_none());
}

fn said(state: &SessionState) -> (SessionStatus, Option<String>) {
    (state.status, state.data.as_ref().and_then(|session| session.user.name.clone()))
}

async fn until(state: &mut watch::Receiver<SessionState>, status: SessionStatus, name: Option<&str>) {
    let wanted = (status, name.map(str::to_owned));
    let reached = timeout(Duration::from_secs(20), state.wait_for(|state| said(state) == wanted)).await;
    assert!(reached.is_ok(), "{wanted:?} was not reached");
}

/// The first answers of a server bring a cookie for forms each, of which one replaces the other.
pub async fn at_once(visit: Visit) {
    for _ in 0..5 {
        let client = visit.client();
        let (read, _, response) =
            tokio::join!(client.get_session(), client.get_csrf_token(), visit.sign_in(&client));
        read.unwrap();
        assert_eq!(response.error, None);
        assert_eq!(name(&client).await.as_deref(), Some("J Smith"));

        let provider = SessionProvider::builder(visit.client()).start().unwrap();
        let reading = tokio::spawn({
            let client = provider.client().clone();
            async move { client.get_session().await }
        });
        let _ = provider.sign_in("credentials", jsmith().redirect(false), &[]).await.unwrap();
        reading.await.unwrap().unwrap();
        assert_eq!(said(&provider.state()), (SessionStatus::Authenticated, Some("J Smith".to_owned())));
    }
}

/// What was read before a change, and arrives after it, does not bring back what was.
pub async fn overtaken(visit: Visit) {
    let client = visit.client();
    let (sender, held, go_on) =
        (Arc::new(HyperClient::new().unwrap()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (held, go_on) = (Arc::clone(&held), Arc::clone(&go_on));
        move |request| {
            let (sender, held, go_on) = (Arc::clone(&sender), Arc::clone(&held), Arc::clone(&go_on));
            async move {
                let response = sender.send(request).await;
                held.notify_one();
                go_on.notified().await;
                response
            }
        }
    };
    let slow = visit.builder().jar(client.jar().clone()).http_client(slow).build().unwrap();
    let read_slowly = || {
        let slow = slow.clone();
        tokio::spawn(async move { slow.get_session().await })
    };
    visit.sign_in(&client).await;
    if visit.dialect() != Dialect::V3 {
        let reading = read_slowly();
        held.notified().await;
        client.update(json!({ "name": "Jane" })).await.unwrap();
        go_on.notify_one();
        reading.await.unwrap().unwrap();
        assert_eq!(name(&client).await.as_deref(), Some("Jane"));
    }
    let reading = read_slowly();
    held.notified().await;
    client.sign_out(SignOutOptions::new()).await.unwrap();
    go_on.notify_one();
    reading.await.unwrap().unwrap();
    assert_eq!(name(&client).await, None);
}

/// Where forms come without the cookie of their token, nothing is done, and nobody is told that it was.
pub async fn cookies_lost(visit: Visit) {
    let good = visit.client();
    visit.sign_in(&good).await;
    let sender = Arc::new(HyperClient::new().unwrap());
    let losing = move |mut request: Request<Bytes>| {
        if request.method() == Method::POST {
            request.headers_mut().remove(COOKIE);
        }
        let sender = Arc::clone(&sender);
        async move { sender.send(request).await }
    };
    let client = visit.builder().jar(good.jar().clone()).http_client(losing).build().unwrap();
    let error = client.sign_in("credentials", jsmith(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Csrf);
    assert!(error.to_string().contains("cookies"), "{error}");
    let error = client.sign_out(SignOutOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Csrf);
    assert!(client.update(json!({ "name": "Mallory" })).await.is_err());
    assert_eq!(name(&good).await.as_deref(), Some("J Smith"), "still");
}

/// A session of more than one cookie. That of next-auth 3 is one, which is lost here as in a browser: it is too long.
pub async fn large(visit: Visit) {
    let client = visit.client();
    let begun = client.sign_in("oidc", Default::default(), &[("login_hint", LONG_NAME)]).await.unwrap();
    let back = led_to(begun.url().unwrap()).await;
    assert_eq!(client.complete_sign_in(&back).await.unwrap().error, None);
    let pieces = async || {
        let piece = |number| format!("{}.{number}", visit.session_cookie());
        let mut pieces = 0;
        while client.jar().get(visit.url().as_str(), &piece(pieces)).await.is_some() {
            pieces += 1;
        }
        pieces
    };
    if visit.dialect() == Dialect::V3 {
        assert_eq!(name(&client).await, None);
        return;
    }
    assert!(pieces().await > 1);
    assert_eq!(name(&client).await.map(|name| name.len()), Some(6000));
    assert_eq!(name(&client).await.map(|name| name.len()), Some(6000), "after it was renewed");
    client.update(json!({ "name": "short" })).await.unwrap();
    assert_eq!((pieces().await, name(&client).await.as_deref()), (0, Some("short")), "in one cookie again");
    client.sign_out(SignOutOptions::new()).await.unwrap();
    assert_eq!((pieces().await, name(&client).await), (0, None));
}
