//! A cache in front of each store, on each of three nodes: rows S24 and S27 of `docs/security.md`. What a cache does
//! by itself is checked in `tests/stores`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, RequireAuth,
    store::{Cached, Store},
};
use serde_json::json;
use tower::{Layer, service_fn};

use crate::{
    site::{COOKIE, Gate, Waiting, act, browser, site},
    stores::on_each_store,
    support::{App, Browser, ManualClock, NOW, app, builder},
};

on_each_store![
    s24_a_deleted_user_is_out_within_the_bound,
    s24_ended_sessions_are_out_within_the_bound,
    s27_without_the_store_guards_refuse_after_the_bound,
    s27_a_cached_session_costs_no_look_at_the_store,
    s27_made_up_ids_are_not_kept,
];

const BOUND: Duration = Duration::from_secs(10);

/// A site on a node of its own, with this time.
fn node(clock: &ManualClock, store: &Arc<dyn Store>) -> Auth {
    let cached = Cached::new(Arc::clone(store), BOUND, 1_000).clock(clock.clone());
    builder(clock).clock(Waiting(clock.clone())).store(cached).build().unwrap()
}

fn nodes(clock: &ManualClock, store: &Arc<dyn Store>) -> [Auth; 3] {
    [(); 3].map(|()| node(clock, store))
}

/// Who this cookie is at each node.
async fn who_at(nodes: &[Auth; 3], cookie: &str) -> [String; 3] {
    let mut who = [const { String::new() }; 3];
    for (who, node) in who.iter_mut().zip(nodes) {
        *who = browser(node).with_cookie(COOKIE, cookie).who().await;
    }
    who
}

async fn s24_a_deleted_user_is_out_within_the_bound(store: Arc<dyn Store>) {
    let clock = ManualClock::at(NOW);
    let nodes = nodes(&clock, &store);
    let mut here = browser(&nodes[0]);
    here.sign_in("jsmith", "hunter2").await;
    let (who, cookie) = (here.who().await, here.jar[COOKIE].clone());
    assert_eq!(who_at(&nodes, &cookie).await, [&*who, &*who, &*who]);
    assert!(nodes[1].delete_user(&who).await.unwrap());
    // At once where it was done; elsewhere it may be known until the bound is over.
    assert_eq!(who_at(&nodes, &cookie).await[1], "nobody");
    clock.advance(BOUND);
    assert_eq!(who_at(&nodes, &cookie).await, ["nobody", "nobody", "nobody"]);
    // Even if the clock steps back, and by whichever way the session is asked for.
    clock.set(NOW);
    assert_eq!(who_at(&nodes, &cookie).await, ["nobody", "nobody", "nobody"]);
    for node in &nodes {
        assert_eq!(browser(node).with_cookie(COOKIE, &cookie).session().await, json!({}));
        assert!(node.sessions_of(&who).await.unwrap().is_empty());
    }
}

/// One by its user at another node, and all of them by who runs the site.
async fn s24_ended_sessions_are_out_within_the_bound(store: Arc<dyn Store>) {
    let clock = ManualClock::at(NOW);
    let nodes = nodes(&clock, &store);
    for all in [false, true] {
        let mut here = browser(&nodes[0]);
        here.sign_in("jsmith", "hunter2").await;
        let (who, cookie) = (here.who().await, here.jar[COOKIE].clone());
        assert_eq!(who_at(&nodes, &cookie).await, [&*who, &*who, &*who]);
        if all {
            nodes[2].end_sessions_of(&who).await.unwrap();
        } else {
            let mut elsewhere = browser(&nodes[2]).with_cookie(COOKIE, &cookie);
            act(&nodes[2], &mut elsewhere, async |context| context.sign_out().await.unwrap()).await;
        }
        assert_eq!(who_at(&nodes, &cookie).await[2], "nobody");
        clock.advance(BOUND);
        assert_eq!(who_at(&nodes, &cookie).await, ["nobody", "nobody", "nobody"]);
    }
}

/// Only for who is signed in.
fn guarded(auth: &Auth) -> App {
    let inside =
        service_fn(async |_: Request<Full<Bytes>>| Ok::<_, Infallible>(Response::new(Full::from("inside"))));
    app(AuthLayer::new(auth.clone()).layer(RequireAuth::signed_in().layer(inside)))
}

async fn s27_without_the_store_guards_refuse_after_the_bound(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let (clock, store): (_, Arc<dyn Store>) = (ManualClock::at(NOW), Arc::new(gate.clone()));
    let auth = node(&clock, &store);
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    let jar = here.jar.clone();
    let mut visitor = Browser { jar: jar.clone(), ..Browser::new(guarded(&auth)) };
    assert_eq!(visitor.get("/").await.text(), "inside");
    gate.fail();
    clock.advance(BOUND - Duration::from_secs(1));
    assert_eq!(visitor.get("/").await.text(), "inside", "it is known for so long");
    clock.advance(Duration::from_secs(1));
    for _ in 0..3 {
        let refused = visitor.get("/").await;
        assert_eq!(refused.status, 503);
        assert!(refused.cookies().is_empty());
    }
    // Nor at a time before that, which says nothing of how old it is.
    clock.set(NOW - 1);
    assert_eq!(visitor.get("/").await.status, 503);
    // Who was not known is not let in either, and nobody is signed out.
    let mut other = Browser::new(guarded(&auth)).with_cookie(COOKIE, "00000000-0000-4000-8000-000000000000");
    assert_eq!(other.get("/").await.status, 503);
    assert_eq!(Browser::new(guarded(&auth)).get("/").await.status, 401);
    gate.open();
    assert_eq!(visitor.jar, jar);
    assert_eq!(visitor.get("/").await.text(), "inside");
}

async fn s27_a_cached_session_costs_no_look_at_the_store(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let (clock, store): (_, Arc<dyn Store>) = (ManualClock::at(NOW), Arc::new(gate.clone()));
    let auth = node(&clock, &store);
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    here.who().await;
    gate.calls();
    for _ in 0..100 {
        assert_ne!(here.who().await, "nobody");
    }
    assert!(gate.calls().is_empty());
    clock.advance(BOUND);
    here.who().await;
    assert_eq!(gate.calls(), ["session_and_user"]);
}

/// Neither in the cache nor, by way of it, in the store. `tests/allocations.rs` counts the bytes of a million.
async fn s27_made_up_ids_are_not_kept(store: Arc<dyn Store>) {
    let clock = ManualClock::at(NOW);
    let cached = Arc::new(Cached::new(store, BOUND, 100).clock(clock.clone()));
    let auth = site(&(Arc::clone(&cached) as Arc<dyn Store>)).1.build().unwrap();
    let kept = || {
        let shown = format!("{cached:?}");
        let (_, count) = shown.rsplit_once("sessions: ").unwrap();
        count.split(',').next().unwrap().parse::<usize>().unwrap()
    };
    for number in 0..1_000 {
        let mut invented =
            browser(&auth).with_cookie(COOKIE, &format!("00000000-0000-4000-8000-{number:012}"));
        assert_eq!(invented.who().await, "nobody");
    }
    assert_eq!(kept(), 0);
    // Real ones are, as many as agreed.
    for _ in 0..150 {
        let mut here = browser(&auth);
        here.sign_in("jsmith", "hunter2").await;
        assert_ne!(here.who().await, "nobody");
    }
    assert!((1..=100).contains(&kept()), "{}", kept());
}
