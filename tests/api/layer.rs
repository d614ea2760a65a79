//! The layer: who is there, and what a response says about it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use http::{Method, header};
use http_body_util::Full;
use portcullis::{AuthLayer, CookieKind, CookieOptions, Dialect};
use tower::{Layer, ServiceExt};

use crate::support::{Browser, DAY, ManualClock, NOW, app, builder, whoami};

#[tokio::test]
async fn signs_in_and_out() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(builder(&clock).build().unwrap()));
    assert_eq!(browser.who().await, "nobody");
    let answer = browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(answer.status, 200);
    assert_eq!(browser.who().await, "1");
    browser.sign_out().await;
    assert_eq!(browser.who().await, "nobody");
}

#[tokio::test]
async fn a_session_is_renewed_once_it_is_due() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(builder(&clock).build().unwrap()));
    browser.sign_in("jsmith", "hunter2").await;
    clock.advance(DAY / 2);
    assert!(browser.get("/").await.cookies().is_empty());
    clock.advance(DAY / 2);
    let renewed = browser.get("/").await;
    assert_eq!(renewed.cookies().len(), 1);
    assert!(renewed.header("cache-control").unwrap().contains("no-store"));
    clock.advance(30 * DAY - DAY / 2);
    assert_eq!(browser.who().await, "1");
}

#[tokio::test]
async fn a_response_varies_by_cookie_when_the_session_was_asked_for() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(builder(&clock).build().unwrap()));
    assert_eq!(browser.get("/").await.header(header::VARY.as_str()), Some("cookie"));
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.get("/").await.header(header::VARY.as_str()), Some("cookie"));
    assert_eq!(browser.send(Method::PUT, "/api/auth/session", None, Default::default()).await.status, 400);
}

/// S92: a layer inside another one with another secret does not take over whom the outer one has found.
#[tokio::test]
async fn s92_layers_do_not_share_their_users() {
    let clock = ManualClock::at(NOW);
    let inner = builder(&clock).secure_cookies(false).base_path("/inner/auth");
    let inner =
        whoami(inner.cookie(CookieKind::SessionToken, CookieOptions::new().name("inner")).build().unwrap());
    let outer = builder(&clock).build().unwrap();
    let mut browser =
        Browser::new(app(AuthLayer::new(outer).layer(inner.map_response(|r| r.map(Full::new)))));
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.session().await["user"]["email"], "jsmith@example.com");
    assert_eq!(browser.who().await, "nobody");
}

/// S3, S12: a cookie that somebody else put there decides nothing, whichever dialect it is in, and the right
/// one is not removed because of it.
#[tokio::test]
async fn s03_disputed_cookies_decide_nothing() {
    let clock = ManualClock::at(NOW);
    let token = async |dialect: Dialect, name: &str, user: &str| {
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in(user, "hunter2").await;
        browser.jar[name].clone()
    };
    let (v4, v5) = ("next-auth.session-token", "authjs.session-token");
    let victim = token(Dialect::V4, v4, "jsmith").await;
    let tossed = [
        (Dialect::V4, Dialect::V3, format!("{v4}={}; {v4}={victim}", token(Dialect::V4, v4, "admin").await)),
        (Dialect::V4, Dialect::V3, format!("{v4}={}; {v4}={victim}", token(Dialect::V3, v4, "admin").await)),
        (Dialect::V5, Dialect::V4, format!("{v5}={}; {v4}={victim}", token(Dialect::V5, v5, "admin").await)),
    ];
    for (dialect, accepted, cookies) in tossed {
        let auth = builder(&clock).dialect(dialect).accept(accepted).build().unwrap();
        let mut browser = Browser::new(whoami(auth)).with_header("cookie", &cookies);
        assert_eq!(browser.who().await, "nobody", "{dialect} and {accepted}");
        let answer = browser.get("/api/auth/session").await;
        assert!(answer.cookies().iter().all(|cookie| !cookie.name().contains("session-token")), "{answer:?}");
    }
}

/// S86: a callback that fails is nobody's sign-out.
#[tokio::test]
async fn s86_a_fault_signs_nobody_out() {
    let clock = ManualClock::at(NOW);
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let auth = builder(&clock).on_session(move |cx| {
        let down = is_down.load(Ordering::SeqCst);
        async move { if down { Err("the database is away".into()) } else { Ok(cx.session) } }
    });
    let mut browser = Browser::new(whoami(auth.build().unwrap()));
    browser.sign_in("jsmith", "hunter2").await;
    down.store(true, Ordering::SeqCst);
    assert_eq!(browser.session().await, serde_json::json!({}));
    assert_eq!(browser.who().await, "SessionCallbackError");
    down.store(false, Ordering::SeqCst);
    assert_eq!(browser.who().await, "1");
}

/// S13: the `session` callback cannot show somebody else's session.
#[tokio::test]
async fn s13_a_session_of_somebody_else_is_refused() {
    let clock = ManualClock::at(NOW);
    let cached = Arc::new(Mutex::new(None));
    let auth = builder(&clock).on_session(move |cx| {
        let shown = cached.lock().unwrap().get_or_insert(cx.session).clone();
        async move { Ok(shown) }
    });
    let app = whoami(auth.build().unwrap());
    let (mut one, mut two) = (Browser::new(app.clone()), Browser::new(app));
    one.sign_in("jsmith", "hunter2").await;
    two.sign_in("admin", "hunter2").await;
    assert_eq!(one.who().await, "1");
    assert_eq!(two.who().await, "SessionCallbackError");
}
