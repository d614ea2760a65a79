//! The life of a session: rows S18 to S23, S28, S29, S87 and S101 of `docs/security.md`.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use portcullis::{
    AuthContext, Dialect, Lifetime, SessionIds, User,
    store::{SessionKey, Store},
};
use serde_json::{Value, json};

use crate::{
    site::{COOKIE, HOUR, act, browser, context, hours, site},
    stores::on_each_store,
    support::NOW,
};

on_each_store![
    s18_each_sign_in_has_a_new_id_and_ends_the_old_one,
    s18_a_new_id_at_a_change_of_privilege,
    s19_idle_and_absolute_limits,
    s19_one_write_per_update_age,
    s20_invented_ids_never_become_sessions,
    s21_an_ended_session_does_not_come_back,
    s22_no_change_of_the_data_is_lost,
    s23_a_copied_cookie_is_dead_after_the_sign_out,
    s23_every_session_of_the_cookies_is_ended,
    s23_a_session_that_cannot_be_shown_is_ended,
    s28_what_the_table_holds_opens_nothing,
    s28_raw_ids_are_a_choice,
    s29_expiry_does_not_wait_for_the_sweep,
    s87_a_clock_that_steps_back_prolongs_nothing,
    s101_parallel_sign_ins_stay_within_the_limit,
];

async fn s18_each_sign_in_has_a_new_id_and_ends_the_old_one(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    let mut seen = vec![];
    // In anew, and as somebody else in the same browser.
    for user in ["jsmith", "jsmith", "admin"] {
        assert_eq!(browser.sign_in(user, "hunter2").await.status, 200);
        let id = browser.jar[COOKIE].clone();
        assert!(!seen.contains(&id));
        for old in &seen {
            let mut thief = self::browser(&auth).with_cookie(COOKIE, old);
            assert_eq!(thief.who().await, "nobody");
        }
        assert_ne!(browser.who().await, "nobody");
        seen.push(id);
    }
}

async fn s18_a_new_id_at_a_change_of_privilege(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let (before, who) = (browser.jar[COOKIE].clone(), browser.who().await);
    act(&auth, &mut browser, async |context| {
        context.change_data(|data| drop(data.insert("step".into(), json!(1)))).await.unwrap();
        context.renew_id().await.unwrap();
    })
    .await;
    assert_ne!(browser.jar[COOKIE], before);
    assert_eq!(browser.who().await, who);
    assert_eq!(self::browser(&auth).with_cookie(COOKIE, &before).who().await, "nobody");
    let kept = store.sessions_of(&who).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].data["step"].as_i64(), kept[0].created.unwrap().as_secs()), (Some(1), NOW));
}

async fn s19_idle_and_absolute_limits(store: Arc<dyn Store>) {
    let (clock, builder) = site(&store);
    let auth = builder.lifetime(hours(2, 1).absolute(5 * HOUR).unwrap()).build().unwrap();
    // Active every hour: until the absolute limit, and not beyond.
    let mut active = browser(&auth);
    let mut idle = browser(&auth);
    active.sign_in("jsmith", "hunter2").await;
    idle.sign_in("admin", "hunter2").await;
    let copy = active.jar.clone();
    for hour in 1..=4 {
        clock.advance(HOUR);
        assert_ne!(active.who().await, "nobody", "hour {hour}");
    }
    assert_eq!(idle.who().await, "nobody");
    clock.advance(HOUR - Duration::from_secs(1));
    assert_ne!(active.who().await, "nobody");
    clock.advance(Duration::from_secs(1));
    assert_eq!(active.who().await, "nobody");
    // Whatever a browser keeps beyond its Max-Age.
    active.jar = copy;
    assert_eq!(active.who().await, "nobody");
}

/// `docs/protocol.md` section 10.2: at most one write per `update_age`, with the old end in the answer.
async fn s19_one_write_per_update_age(store: Arc<dyn Store>) {
    let (clock, builder) = site(&store);
    let auth = builder.lifetime(hours(10, 2)).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let who = browser.who().await;
    let end = async || store.sessions_of(&who).await.unwrap()[0].expires.as_secs();
    let first = NOW + 10 * 3600;
    clock.advance(2 * HOUR - Duration::from_secs(1));
    assert_eq!(browser.session().await["expires"], "2026-01-15T22:00:00.000Z");
    assert_eq!(end().await, first);
    clock.advance(Duration::from_secs(1));
    assert_eq!(browser.session().await["expires"], "2026-01-15T22:00:00.000Z");
    assert_eq!(end().await, first + 2 * 3600);
    assert_eq!(browser.session().await["expires"], "2026-01-16T00:00:00.000Z");
    // The layer extends it, too, and sets the cookie then.
    clock.advance(HOUR);
    assert!(browser.get("/").await.cookie(COOKIE).is_none());
    clock.advance(HOUR);
    let cookie = browser.get("/").await.cookie(COOKIE).unwrap();
    assert_eq!(cookie.value(), browser.jar[COOKIE]);
    assert_eq!(end().await, first + 4 * 3600);
}

async fn s20_invented_ids_never_become_sessions(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    for number in 0..1_000 {
        let invented = format!("00000000-0000-4000-8000-{number:012}");
        let mut browser = browser(&auth).with_cookie(COOKIE, &invented);
        if number % 10 == 0 {
            assert_eq!(browser.session().await, json!({}));
            assert!(!browser.jar.contains_key(COOKIE), "it is removed");
        } else {
            assert_eq!(browser.who().await, "nobody");
        }
        for key in [SessionKey::of_token(&invented), SessionKey::new(invented.as_str())] {
            assert!(store.session(&key).await.unwrap().is_none());
        }
    }
    // Nor is one adopted at a sign-in.
    let planted = "00000000-0000-4000-8000-000000000001";
    let mut victim = browser(&auth).with_cookie(COOKIE, planted);
    victim.sign_in("jsmith", "hunter2").await;
    assert_ne!(victim.jar[COOKIE], planted);
    assert_eq!(browser(&auth).with_cookie(COOKIE, planted).who().await, "nobody");
}

async fn s21_an_ended_session_does_not_come_back(store: Arc<dyn Store>) {
    let (clock, builder) = site(&store);
    let auth = builder.lifetime(hours(10, 1)).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let copy = browser.jar.clone();
    clock.advance(2 * HOUR);
    // Three requests have read the session, and write when it is over.
    let slow =
        [context(&auth, &browser).await, context(&auth, &browser).await, context(&auth, &browser).await];
    browser.sign_out().await;
    assert_eq!(slow[0].change_data(|data| drop(data.insert("a".into(), json!(1)))).await.unwrap(), None);
    assert!(slow[1].renew_id().await.is_err());
    clock.advance(2 * HOUR);
    let _ = slow[2].update(Value::Null).await;
    browser.jar = copy;
    assert_eq!(browser.who().await, "nobody");
}

async fn s22_no_change_of_the_data_is_lost(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let context = context(&auth, &browser).await;
        writers.spawn(async move {
            let count = |data: &mut serde_json::Map<String, Value>| {
                let count = data.get("count").and_then(Value::as_u64).unwrap_or_default();
                data.insert("count".into(), json!(count + 1));
            };
            context.change_data(count).await.unwrap().unwrap();
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let who = browser.who().await;
    assert_eq!(store.sessions_of(&who).await.unwrap()[0].data["count"], json!(100));
}

async fn s23_a_copied_cookie_is_dead_after_the_sign_out(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let mut thief = browser.clone();
    assert_ne!(thief.who().await, "nobody");
    let answer = browser.sign_out().await;
    assert_eq!(answer.cookie(COOKIE).unwrap().max_age(), Some(cookie::time::Duration::ZERO));
    assert_eq!(thief.who().await, "nobody");
    // A handler that signs out ends it, too.
    browser.sign_in("jsmith", "hunter2").await;
    let mut thief = browser.clone();
    act(&auth, &mut browser, async |context| context.sign_out().await.unwrap()).await;
    assert!(!browser.jar.contains_key(COOKIE));
    assert_eq!(thief.who().await, "nobody");
}

/// Cookies that a sibling domain has put beside the user's own.
async fn s23_every_session_of_the_cookies_is_ended(store: Arc<dyn Store>) {
    let auth = site(&store).1.accept(Dialect::V5).build().unwrap();
    let broken =
        site(&store).1.accept(Dialect::V5).on_session(async |_| Err("broken".into())).build().unwrap();
    for other in ["admin", "jsmith"] {
        for way in ["endpoint", "sign_out", "sign_out, broken", "sign_in", "end_all_sessions"] {
            let (mut victim, mut planted) = (browser(&auth), browser(&auth));
            victim.sign_in("jsmith", "hunter2").await;
            planted.sign_in(other, "hunter2").await;
            let (own, second) = (victim.jar[COOKIE].clone(), planted.jar[COOKIE].clone());
            let mut both =
                browser(&auth).with_cookie(COOKIE, &own).with_cookie("authjs.session-token", &second);
            assert_eq!(both.who().await == "nobody", other == "admin", "{way}");
            match way {
                "endpoint" => assert_eq!(both.sign_out().await.status, 200),
                "sign_out" => act(&auth, &mut both, async |context| context.sign_out().await.unwrap()).await,
                "sign_out, broken" => {
                    act(&broken, &mut both, async |context| context.sign_out().await.unwrap()).await;
                }
                "sign_in" => {
                    let third = async |context: AuthContext| {
                        context.sign_in(User::new("3").email("third@example.com")).await.unwrap();
                    };
                    act(&auth, &mut both, third).await;
                }
                // Of a request that is nobody's it ends nothing.
                _ if other == "admin" => continue,
                _ => act(&auth, &mut both, async |context| context.end_all_sessions().await.unwrap()).await,
            }
            for copy in [own, second] {
                let mut copy = browser(&auth).with_cookie(COOKIE, &copy);
                assert_eq!(copy.who().await, "nobody", "{way}, beside {other}");
            }
        }
    }
}

/// S23: also the one about which a callback fails.
async fn s23_a_session_that_cannot_be_shown_is_ended(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let broken = site(&store).1.on_session(async |_| Err("broken".into())).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let copy = browser.jar[COOKIE].clone();
    act(&broken, &mut browser, async |context| context.sign_out().await.unwrap()).await;
    assert_eq!(self::browser(&auth).with_cookie(COOKIE, &copy).who().await, "nobody");
}

async fn s28_what_the_table_holds_opens_nothing(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let who = browser.who().await;
    let row = store.sessions_of(&who).await.unwrap().remove(0);
    assert_ne!(row.key.as_str(), browser.jar[COOKIE]);
    for value in [row.key.as_str(), &row.key.handle(), &row.user_id] {
        assert_eq!(self::browser(&auth).with_cookie(COOKIE, value).who().await, "nobody");
        let mut bearer = self::browser(&auth).with_header("authorization", &format!("Bearer {value}"));
        assert_eq!(bearer.who().await, "nobody");
    }
}

async fn s28_raw_ids_are_a_choice(store: Arc<dyn Store>) {
    let auth = site(&store).1.session_ids(SessionIds::Raw).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let key = SessionKey::new(browser.jar[COOKIE].as_str());
    assert!(store.session(&key).await.unwrap().is_some());
}

async fn s29_expiry_does_not_wait_for_the_sweep(store: Arc<dyn Store>) {
    let (clock, builder) = site(&store);
    let auth = builder.lifetime(hours(2, 1)).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    let (who, copy) = (browser.who().await, browser.jar.clone());
    clock.advance(2 * HOUR);
    assert_eq!(browser.who().await, "nobody");
    assert_eq!(browser.session().await, json!({}));
    assert!(auth.sessions_of(&who).await.unwrap().is_empty());
    assert!(auth.sweep().await.unwrap() <= 1);
    assert!(store.sessions_of(&who).await.unwrap().is_empty());
    browser.jar = copy;
    assert_eq!(browser.who().await, "nobody");
}

async fn s87_a_clock_that_steps_back_prolongs_nothing(store: Arc<dyn Store>) {
    let (clock, builder) = site(&store);
    let lifetime = Lifetime::new(4 * HOUR, HOUR).unwrap().absolute(6 * HOUR).unwrap();
    let auth = builder.lifetime(lifetime).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in("jsmith", "hunter2").await;
    clock.advance(2 * HOUR);
    let who = browser.who().await;
    // It would begin later than now: nobody can tell how long it has lasted.
    clock.set(NOW - 24 * 3600);
    assert_eq!(browser.who().await, "nobody");
    clock.set(NOW + 3 * 3600);
    assert_eq!(browser.who().await, who);
    clock.set(NOW + 6 * 3600);
    assert_eq!(browser.who().await, "nobody");
    assert!(store.sessions_of(&who).await.unwrap().iter().all(|row| row.expires.as_secs() <= NOW + 6 * 3600));
}

async fn s101_parallel_sign_ins_stay_within_the_limit(store: Arc<dyn Store>) {
    let auth = site(&store).1.session_limit(NonZeroUsize::new(3).unwrap()).build().unwrap();
    let mut sign_ins = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut browser = browser(&auth);
        sign_ins.spawn(async move {
            assert_eq!(browser.sign_in("jsmith", "hunter2").await.status, 200);
            browser
        });
    }
    let mut browsers = vec![];
    while let Some(browser) = sign_ins.join_next().await {
        browsers.push(browser.unwrap());
    }
    let mut live = 0;
    for browser in &mut browsers {
        live += usize::from(browser.who().await != "nobody");
    }
    assert_eq!(live, 3);
}
