//! Requests that go away half-way, at whichever point: row S88 of `docs/security.md`.
//!
//! Stores answer slowly here, also the one in memory: so there is a point before each call, one after it, and those
//! that a server takes in between. A server may still do what it was asked for when nobody waits for that any more:
//! what is read at once is not always what is there later.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis::{AuthContext, store::Store};
use serde_json::{Value, json};

use crate::{
    mail::{ask, goes_to, link, mailing_with},
    site::{COOKIE, Gate, HOUR, browser, context, hours, site},
    stores::on_each_store,
};

on_each_store![
    s88_a_sign_in_that_is_dropped_leaves_nothing_that_opens,
    s88_a_change_of_user_that_is_dropped_is_made_or_not,
    s88_a_sign_out_that_is_dropped_ends_the_session_or_not,
    s88_an_update_that_is_dropped_ends_and_moves_nothing,
    s88_a_change_of_the_data_that_is_dropped_is_made_once_or_not,
    s88_a_new_id_that_is_dropped_leaves_one_session_at_most,
    s88_a_link_whose_opening_is_dropped_opens_once_at_most,
];

/// Polls it so often at most, and drops it then.
async fn polled<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        // Where a server has to answer first: lets it.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

/// Does it with one poll, with two and so on, until one attempt has come to its end.
async fn at_each_poll(attempt: impl AsyncFn(usize) -> bool) {
    for polls in 1..1_000 {
        if attempt(polls).await {
            assert!(polls > 1, "it was never dropped");
            return;
        }
    }
    panic!("it never ends");
}

async fn s88_a_sign_in_that_is_dropped_leaves_nothing_that_opens(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let auth = site(&slow).1.build().unwrap();
    at_each_poll(async |polls| {
        let mut browser = browser(&auth);
        browser.csrf_token().await;
        let done = polled(browser.sign_in("jsmith", "hunter2"), polls).await.is_some();
        assert_eq!(browser.who().await != "nobody", done);
        done
    })
    .await;
    // All those sign-ins made one user, and the next one is the same.
    let who = store.user_by_account("credentials", "1").await.unwrap().unwrap().id;
    let mut again = browser(&auth);
    again.sign_in("jsmith", "hunter2").await;
    assert_eq!(again.who().await, who);
    assert_eq!(store.accounts_of(&who).await.unwrap().len(), 1);
}

async fn s88_a_change_of_user_that_is_dropped_is_made_or_not(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let auth = site(&slow).1.build().unwrap();
    let mut both = [browser(&auth), browser(&auth)];
    let mut ids = [const { String::new() }; 2];
    for (index, user) in ["admin", "jsmith"].into_iter().enumerate() {
        both[index].sign_in(user, "hunter2").await;
        ids[index] = both[index].who().await;
    }
    let [admin, jsmith] = &ids;
    at_each_poll(async |polls| {
        let mut browser = browser(&auth);
        browser.sign_in("admin", "hunter2").await;
        let before = browser.jar[COOKIE].clone();
        let done = polled(browser.sign_in("jsmith", "hunter2"), polls).await.is_some();
        let who = browser.who().await;
        let old = self::browser(&auth).with_cookie(COOKIE, &before).who().await;
        if done {
            assert_eq!((&*who, &*old), (&**jsmith, "nobody"));
        } else {
            assert!(who == *admin || who == "nobody", "{who}");
            assert_eq!(browser.jar[COOKIE], before);
            assert!(old == *admin || old == "nobody", "{old}");
        }
        done
    })
    .await;
}

async fn s88_a_sign_out_that_is_dropped_ends_the_session_or_not(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let auth = site(&slow).1.build().unwrap();
    at_each_poll(async |polls| {
        let mut browser = browser(&auth);
        browser.sign_in("jsmith", "hunter2").await;
        let (who, mut thief) = (browser.who().await, browser.clone());
        let done = polled(browser.sign_out(), polls).await.is_some();
        let left = thief.who().await;
        assert!(left == "nobody" || (left == who && !done), "{left}");
        // The next attempt ends it.
        browser.sign_out().await;
        assert_eq!([browser.who().await, thief.who().await], ["nobody", "nobody"]);
        done
    })
    .await;
}

async fn s88_an_update_that_is_dropped_ends_and_moves_nothing(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let (clock, builder) = site(&slow);
    let auth = builder.lifetime(hours(10, 1)).build().unwrap();
    at_each_poll(async |polls| {
        let mut browser = browser(&auth);
        browser.sign_in("jsmith", "hunter2").await;
        let who = browser.who().await;
        clock.advance(2 * HOUR);
        let done = polled(browser.session(), polls).await.is_some();
        assert_eq!(browser.who().await, who);
        let rows = store.sessions_of(&who).await.unwrap();
        assert_eq!(rows.len(), 1, "neither lost nor doubled");
        // Extended or not: for as long as it may be, and no longer.
        let left = rows[0].expires.as_secs() - crate::support::NOW;
        let now = rows[0].last_seen.unwrap_or(rows[0].expires).as_secs();
        assert!(left <= now - crate::support::NOW + 10 * 3600, "{left}");
        browser.sign_out().await;
        done
    })
    .await;
}

async fn s88_a_change_of_the_data_that_is_dropped_is_made_once_or_not(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let auth = site(&slow).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let who = browser.who().await;
    let count = async || {
        let rows = store.sessions_of(&who).await.unwrap();
        rows[0].data.get("count").and_then(Value::as_u64).unwrap_or_default()
    };
    let add = |data: &mut serde_json::Map<String, Value>| {
        let count = data.get("count").and_then(Value::as_u64).unwrap_or_default();
        data.insert("count".into(), json!(count + 1));
    };
    at_each_poll(async |polls| {
        let (before, context) = (count().await, context(&auth, &browser).await);
        let done = polled(context.change_data(add), polls).await;
        let after = count().await;
        assert!(after == before + 1 || (after == before && done.is_none()), "{before} became {after}");
        if let Some(done) = done {
            assert_eq!(done.unwrap().unwrap()["count"], json!(after));
            return true;
        }
        // The next one is neither lost nor stale.
        self::context(&auth, &browser).await.change_data(add).await.unwrap().unwrap();
        // Nor is the one that was dropped, if the server was still about to do it.
        let last = count().await;
        assert!((after + 1..=before + 2).contains(&last), "{before} became {after}, and that {last}");
        false
    })
    .await;
    assert_eq!(browser.who().await, who);
}

async fn s88_a_new_id_that_is_dropped_leaves_one_session_at_most(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let auth = site(&slow).1.build().unwrap();
    at_each_poll(async |polls| {
        let mut browser = browser(&auth);
        browser.sign_in("jsmith", "hunter2").await;
        let who = browser.who().await;
        let context: AuthContext = context(&auth, &browser).await;
        let done = polled(context.renew_id(), polls).await;
        // The browser still has the old cookie, which is good if nothing came of it.
        let left = browser.who().await;
        assert!(left == "nobody" || (left == who && done.is_none()), "{left}");
        // What the table holds opens nothing.
        for row in store.sessions_of(&who).await.unwrap() {
            assert_eq!(self::browser(&auth).with_cookie(COOKIE, row.key.as_str()).who().await, "nobody");
        }
        auth.end_sessions_of(&who).await.unwrap();
        assert_eq!(browser.who().await, "nobody");
        done.inspect(|done| assert!(done.is_ok())).is_some()
    })
    .await;
}

async fn s88_a_link_whose_opening_is_dropped_opens_once_at_most(store: Arc<dyn Store>) {
    let slow = Gate::pausing(&store);
    let (_, builder, mailbox) = mailing_with(&slow, |email| email.limit(0, HOUR));
    let auth = builder.build().unwrap();
    at_each_poll(async |polls| {
        ask(&mut browser(&auth), "pat@example.com").await;
        let link = link(&mailbox.take()[0]);
        let mut first = browser(&auth);
        let done = polled(first.get(&link), polls).await.is_some();
        assert_eq!(first.who().await != "nobody", done);
        // Again: it is used up, or still good; after that it is used up for sure.
        let (mut second, mut third) = (browser(&auth), browser(&auth));
        let answers = [second.get(&link).await, third.get(&link).await];
        let failed = answers.each_ref().map(|answer| goes_to(answer).ends_with("error?error=Verification"));
        assert!(failed[1] && (failed[0] || !done), "{failed:?}");
        assert_eq!([second.who().await != "nobody", third.who().await != "nobody"], [!failed[0], false]);
        done
    })
    .await;
    // However often it was tried, that is one user.
    let known = store.user_by_email("pat@example.com").await.unwrap().unwrap();
    ask(&mut browser(&auth), "pat@example.com").await;
    let mut again = browser(&auth);
    again.get(&link(&mailbox.take()[0])).await;
    assert_eq!(again.who().await, known.id);
}
