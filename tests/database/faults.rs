//! A store that fails signs nobody out, and lets nobody in: row S27 of `docs/security.md`.

use std::{sync::Arc, time::Duration};

use portcullis::{OriginPolicy, store::Store};
use serde_json::json;

use crate::{
    site::{COOKIE, Gate, act, browser, site},
    stores::on_each_store,
    support::ORIGIN,
};

on_each_store![
    a_fault_signs_nobody_out,
    a_store_that_hangs_is_given_up,
    s97_visitors_cost_no_look_at_the_store,
    a_session_costs_one_look,
];

async fn a_fault_signs_nobody_out(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let (who, jar) = (browser.who().await, browser.jar.clone());

    gate.fail();
    let answer = browser.get("/").await;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (503, "SessionUnavailable"));
    assert!(answer.cookies().is_empty());
    // The wire has no word for it: the clients see nobody, and the cookie stays.
    let answer = browser.get("/api/auth/session").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));
    assert!(answer.cookie(COOKIE).is_none());
    // What cannot be ended is not said to be.
    assert_eq!(browser.sign_out().await.status, 503);
    assert!(act(&auth, &mut browser, async |context| context.sign_out().await.is_err()).await);
    assert!(act(&auth, &mut browser, async |context| context.sessions().await.is_err()).await);
    assert!(auth.sweep().await.is_err());
    // Nobody signs in.
    let mut visitor = self::browser(&auth);
    assert_eq!(visitor.sign_in("jsmith", "hunter2").await.status, 503);
    assert!(!visitor.jar.contains_key(COOKIE));
    assert_eq!(visitor.who().await, "nobody");

    gate.open();
    assert_eq!(browser.jar, jar);
    assert_eq!(browser.who().await, who);
}

async fn a_store_that_hangs_is_given_up(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let site = site(&store).1.origin(OriginPolicy::fixed(ORIGIN).unwrap());
    let auth = site.store_time_limit(Duration::from_millis(400)).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    gate.hang();
    assert_eq!(browser.who().await, "SessionUnavailable");
    assert_eq!(browser.session().await, json!({}));
    gate.open();
    assert_ne!(browser.who().await, "nobody");
}

/// S97: nor do cookies that cannot be a session's.
async fn s97_visitors_cost_no_look_at_the_store(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let auth = site(&store).1.build().unwrap();
    let mut visitor = browser(&auth).with_cookie("theme", "dark");
    visitor.who().await;
    visitor.session().await;
    visitor.csrf_token().await;
    for nonsense in ["", "short", "with%20space%20in%20between", &"x".repeat(256)] {
        assert_eq!(browser(&auth).with_cookie(COOKIE, nonsense).who().await, "nobody");
    }
    assert!(gate.calls().is_empty());
}

async fn a_session_costs_one_look(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    gate.calls();
    browser.who().await;
    assert_eq!(gate.calls(), ["session_and_user"]);
    browser.session().await;
    assert_eq!(gate.calls(), ["session_and_user"]);
    self::browser(&auth).with_cookie(COOKIE, "00000000-0000-4000-8000-000000000000").who().await;
    assert_eq!(gate.calls(), ["session_and_user"]);
}
