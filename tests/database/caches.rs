//! A cache in front of each store, on each of three nodes: rows S24 and S27 of `docs/security.md`. What a cache does
//! by itself is checked in `tests/stores`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, RequireAuth,
    store::{Cached, MemoryStore, Store},
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
    s24_sessions_beside_users_are_out_within_the_bound,
    s22_a_cache_beside_users_loses_no_change,
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
/// A site whose users are in one store, and whose sessions are in another behind a cache.
fn beside(clock: &ManualClock, users: &Arc<dyn Store>, sessions: &Arc<dyn Store>) -> Auth {
    let cached = Cached::new(Arc::clone(sessions), BOUND, 1_000).clock(clock.clone());
    let builder = builder(clock).clock(Waiting(clock.clone())).store(Arc::clone(users));
    builder.session_store(cached).build().unwrap()
}

/// S24, S27: sessions that are read by their key are kept as long, and forgotten as soon.
async fn s24_sessions_beside_users_are_out_within_the_bound(users: Arc<dyn Store>) {
    let (clock, gate) = (ManualClock::at(NOW), Gate::new(Arc::new(MemoryStore::new())));
    let sessions: Arc<dyn Store> = Arc::new(gate.clone());
    let nodes = [(); 3].map(|()| beside(&clock, &users, &sessions));
    for end in ["sign_out", "all", "user"] {
        let mut here = browser(&nodes[0]);
        here.sign_in("jsmith", "hunter2").await;
        let (who, cookie) = (here.who().await, here.jar[COOKIE].clone());
        assert_eq!(who_at(&nodes, &cookie).await, [&*who, &*who, &*who]);
        gate.calls();
        for _ in 0..20 {
            assert_eq!(who_at(&nodes, &cookie).await, [&*who, &*who, &*who]);
        }
        assert_eq!(gate.calls(), [""; 0], "they are known");
        let mut elsewhere = browser(&nodes[2]).with_cookie(COOKIE, &cookie);
        match end {
            "sign_out" => {
                act(&nodes[2], &mut elsewhere, async |context| context.sign_out().await.unwrap()).await
            }
            "all" => nodes[2].end_sessions_of(&who).await.unwrap(),
            _ => assert!(nodes[2].delete_user(&who).await.unwrap()),
        }
        assert_eq!(who_at(&nodes, &cookie).await[2], "nobody", "{end}");
        clock.advance(BOUND);
        assert_eq!(who_at(&nodes, &cookie).await, ["nobody", "nobody", "nobody"], "{end}");
    }
}

/// S22: what is written does not go by what a cache remembers.
async fn s22_a_cache_beside_users_loses_no_change(users: Arc<dyn Store>) {
    let (clock, sessions): (_, Arc<dyn Store>) = (ManualClock::at(NOW), Arc::new(MemoryStore::new()));
    let nodes = [(); 3].map(|()| beside(&clock, &users, &sessions));
    let mut here = browser(&nodes[0]);
    here.sign_in("jsmith", "hunter2").await;
    let (who, cookie) = (here.who().await, here.jar[COOKIE].clone());
    assert_eq!(who_at(&nodes, &cookie).await, [&*who, &*who, &*who]);
    act(&nodes[1], &mut here, async |context| {
        context.change_data(|data| drop(data.insert("one".into(), 1.into()))).await.unwrap();
    })
    .await;
    act(&nodes[0], &mut here, async |context| {
        context.change_data(|data| drop(data.insert("two".into(), 2.into()))).await.unwrap();
    })
    .await;
    act(&nodes[2], &mut here, async |context| context.renew_id().await.unwrap()).await;
    assert_ne!(here.jar[COOKIE], cookie);
    let kept = sessions.sessions_of(&who).await.unwrap();
    let data: Vec<_> = kept.iter().map(|session| serde_json::Value::from(session.data.clone())).collect();
    assert_eq!(data, [json!({ "one": 1, "two": 2 })]);
}

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
