//! What clients see of sessions that live in a store (`docs/protocol.md` section 10.2).

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Account, Auth, BoxError, Dialect, RequireAuth, SessionContext, Token, Trigger, User, get_raw_token,
    get_token, store::Store,
};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use crate::{
    site::{COOKIE, HOUR, act, browser, site},
    stores::on_each_store,
    support::{Browser, app},
};

on_each_store![
    the_session_is_the_users_row,
    update_asks_the_session_callback,
    the_cookie_is_no_token,
    guards_judge_the_users_row,
    the_application_reads_the_row,
    a_verifier_reads_the_store,
];

async fn the_session_is_the_users_row(store: Arc<dyn Store>) {
    for (dialect, cookie, empty) in [
        (Dialect::V3, COOKIE, json!({})),
        (Dialect::V4, COOKIE, json!({})),
        (Dialect::V5, "authjs.session-token", Value::Null),
    ] {
        let (clock, builder) = site(&store);
        let auth = builder.dialect(dialect).build().unwrap();
        let mut here = browser(&auth);
        here.sign_in("jsmith", "hunter2").await;
        let shown = here.session().await;
        let user = json!({"name": "J Smith", "email": "jsmith@example.com", "image": null});
        assert_eq!(shown, json!({"user": user, "expires": "2026-02-14T12:00:00.000Z"}), "{dialect}");
        // Set at each read, for another month.
        clock.advance(HOUR);
        let answer = here.get("/api/auth/session").await;
        assert_eq!(answer.json()["expires"], "2026-02-14T12:00:00.000Z");
        let set = answer.cookie(cookie).unwrap();
        assert_eq!(set.value(), here.jar[cookie]);
        assert_eq!(set.expires_datetime().unwrap().unix_timestamp(), 1_771_070_400 + 3600);
        here.sign_out().await;
        assert_eq!(here.session().await, empty);
    }
}

async fn update_asks_the_session_callback(store: Arc<dyn Store>) {
    let asked = Arc::new(Mutex::new(vec![]));
    let notes = Arc::clone(&asked);
    let auth = site(&store).1.on_session(move |context: SessionContext| {
        let SessionContext { mut session, user, data, trigger, new_session, .. } = context;
        session.user.insert("id", user.unwrap().id);
        session.user.insert("step", data.get("step").cloned().unwrap_or_default());
        notes.lock().unwrap().push((trigger, new_session));
        async { Ok::<_, BoxError>(session) }
    });
    let auth = auth.build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    act(&auth, &mut here, async |context| {
        context.change_data(|data| drop(data.insert("step".into(), json!(2)))).await.unwrap();
    })
    .await;
    let csrf = here.csrf_token().await;
    asked.lock().unwrap().clear();
    let body = json!({"csrfToken": csrf, "data": {"name": "ignored"}}).to_string();
    let answer =
        here.send(http::Method::POST, "/api/auth/session", Some("application/json"), body.into()).await;
    let user = &answer.json()["user"];
    assert_eq!((&user["name"], &user["step"]), (&json!("J Smith"), &json!(2)));
    assert_eq!(user["id"], here.who().await);
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], (Some(Trigger::Update), Some(json!({"name": "ignored"}))));
}

async fn the_cookie_is_no_token(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let asking =
        app(portcullis::AuthLayer::new(auth).layer(service_fn(move |request: Request<Full<Bytes>>| {
            let token: Option<Token> = get_token(&request).unwrap();
            *slot.lock().unwrap() = Some((token.is_some(), get_raw_token(&request).unwrap()));
            std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::new()))))
        })));
    let id = here.jar[COOKIE].clone();
    Browser { jar: here.jar.clone(), ..Browser::new(asking.clone()) }.get("/").await;
    assert_eq!(answer.lock().unwrap().take().unwrap(), (false, Some(id.clone())));
    // Nor is it one in a header, where that is not a session.
    Browser::new(asking).with_header("authorization", &format!("Bearer {id}")).get("/").await;
    assert_eq!(answer.lock().unwrap().take().unwrap(), (false, Some(id)));
}

async fn guards_judge_the_users_row(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let guarded = app(portcullis::AuthLayer::new(auth.clone()).layer(RequireAuth::role("admin").layer(
        service_fn(|_: Request<Full<Bytes>>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::new()))))
        }),
    )));
    for (user, status) in [("jsmith", 403), ("admin", 200)] {
        let mut here = browser(&auth);
        here.sign_in(user, "hunter2").await;
        let mut visitor = Browser { jar: here.jar.clone(), ..Browser::new(guarded.clone()) };
        assert_eq!(visitor.get("/").await.status, status, "{user}");
    }
    assert_eq!(Browser::new(guarded).get("/").await.status, 401);
}

async fn the_application_reads_the_row(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut here = browser(&auth);
    act(&auth, &mut here, async |context| {
        let user = User::new("").name("Pat").email("pat@example.com").image("https://img.example/p.png");
        context.sign_in_with(user, Account::new("oauth", "acme", "1")).await.unwrap();
    })
    .await;
    let shown = here.session().await;
    assert_eq!(shown["user"]["image"], "https://img.example/p.png");
    let context = crate::site::context(&auth, &here).await;
    let session = context.session::<portcullis::SessionUser>().unwrap().unwrap();
    assert_eq!(session.subject(), here.who().await);
}

/// A service beside the site: it reads the store, and changes nothing there.
async fn a_verifier_reads_the_store(store: Arc<dyn Store>) {
    let (clock, builder) = site(&store);
    let auth = builder.lifetime(crate::site::hours(10, 1)).build().unwrap();
    let verifier =
        Auth::verifier_of(Arc::clone(&store)).clock(crate::site::Waiting(clock.clone())).build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    let who = here.who().await;
    let ends = async || store.sessions_of(&who).await.unwrap()[0].expires;
    let end = ends().await;
    clock.advance(5 * HOUR);
    assert_eq!(browser(&verifier).with_cookie(COOKIE, &here.jar[COOKIE]).who().await, who);
    let bearer = format!("Bearer {}", here.jar[COOKIE]);
    assert_eq!(browser(&verifier).with_header("authorization", &bearer).who().await, who);
    assert_eq!(ends().await, end);
    here.sign_out().await;
    assert_eq!(browser(&verifier).with_header("authorization", &bearer).who().await, "nobody");
}
