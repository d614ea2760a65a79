//! Several at the same thing at once.

use std::{collections::HashSet, future::Future, sync::Arc};

use portcullis::{
    Account,
    store::{
        RedisStore, Replaced, SessionStore, StoreErrorKind, UserChange, UserStore, VerificationToken,
        VerificationTokenStore,
    },
};
use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{ada, at, beds, key, session};

/// Runs `count` of them at once, each with its number.
async fn racing<T, F>(store: &RedisStore, count: usize, race: impl Fn(RedisStore, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (barrier, mut racers) = (Arc::new(Barrier::new(count)), JoinSet::new());
    for number in 0..count {
        let (barrier, run) = (barrier.clone(), race(store.clone(), number));
        racers.spawn(async move {
            barrier.wait().await;
            run.await
        });
    }
    racers.join_all().await
}

/// S22: a hundred at once count to a hundred.
#[tokio::test(flavor = "multi_thread")]
async fn s22_no_change_of_a_session_is_lost() {
    for bed in beds().await {
        bed.store.create_session(&session("s", "u"), None).await.unwrap();
        racing(&bed.store, 100, |store, _| async move {
            loop {
                let mut session = store.session(&key("s")).await.unwrap().unwrap();
                let count = session.data.get("n").and_then(|n| n.as_u64()).unwrap_or(0);
                session.data.insert("n".into(), json!(count + 1));
                match store.replace_session_data(&session.key, session.version, &session.data).await.unwrap()
                {
                    Replaced::Done => break,
                    Replaced::Stale => {}
                    Replaced::Missing => panic!("it was not ended"),
                }
            }
        })
        .await;
        let session = bed.store.session(&key("s")).await.unwrap().unwrap();
        assert_eq!((session.version, &session.data["n"]), (100, &json!(100)), "{}", bed.name);
    }
}

/// S21: whatever writes while a session is ended, it does not come back.
#[tokio::test(flavor = "multi_thread")]
async fn s21_slow_writers_do_not_bring_a_session_back() {
    for bed in beds().await {
        for round in 0..10 {
            let name = format!("s{round}");
            bed.store.create_session(&session(&name, "u"), None).await.unwrap();
            racing(&bed.store, 9, |store, number| {
                let key = key(&name);
                async move {
                    match number {
                        0 => _ = store.end_session(&key).await.unwrap(),
                        1 => _ = store.end_sessions_of("u", None).await.unwrap(),
                        2..6 => {
                            _ = store.extend_session(&key, at(2000 + number as i64), at(1)).await.unwrap()
                        }
                        _ => {
                            _ = store.replace_session_data(&key, 0, &serde_json::Map::new()).await.unwrap();
                        }
                    }
                }
            })
            .await;
            assert_eq!(bed.store.session(&key(&name)).await.unwrap(), None, "{}", bed.name);
        }
        assert_eq!(bed.store.sessions_of("u").await.unwrap(), []);
    }
}

/// S48: of fifty, one gets the token.
#[tokio::test(flavor = "multi_thread")]
async fn s48_a_token_is_used_once() {
    for bed in beds().await {
        let token = VerificationToken::new("ada@example.com", "hash", at(9));
        bed.store.create_verification_token(&token).await.unwrap();
        let got = racing(&bed.store, 50, |store, _| async move {
            store.use_verification_token("ada@example.com", "hash").await.unwrap()
        })
        .await;
        assert_eq!(got.iter().flatten().count(), 1, "{}", bed.name);
        let made = racing(&bed.store, 20, |store, _| {
            let token = token.clone();
            async move { store.create_verification_token(&token).await.is_ok() }
        })
        .await;
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
    }
}

/// S89: of twenty first sign-ins with one account, with one address, or with both, one makes a user.
#[tokio::test(flavor = "multi_thread")]
async fn s89_first_sign_ins_at_once_make_one_user() {
    for bed in beds().await {
        for (round, (same_account, same_email)) in
            [(true, false), (false, true), (true, true), (true, true)].into_iter().enumerate()
        {
            let made = racing(&bed.store, 20, |store, number| async move {
                let account = if same_account { 99 } else { number };
                let email = if same_email { 99 } else { number };
                let account = Account::new("oidc", "acme", format!("{round}-{account}"));
                let user = ada(&format!("{round}-{email}@example.com"));
                match store.create_user(&user, Some(&account)).await {
                    Ok(user) => Some((user, account)),
                    Err(error) => {
                        assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}");
                        None
                    }
                }
            })
            .await;
            let made: Vec<_> = made.into_iter().flatten().collect();
            assert_eq!(made.len(), 1, "{} {round}", bed.name);
            let (user, account) = &made[0];
            let id = &account.provider_account_id;
            assert_eq!(bed.store.user_by_account("acme", id).await.unwrap().as_ref(), Some(user));
            let email = user.email.as_deref().unwrap();
            assert_eq!(bed.store.user_by_email(email).await.unwrap().as_ref(), Some(user));
            assert_eq!(bed.store.accounts_of(&user.id).await.unwrap(), std::slice::from_ref(account));
        }
        // Nothing is left of the others.
        let users = bed.raw.keys(&format!("{}user:", bed.prefix)).await;
        let users = users.iter().filter(|key| key.matches(':').count() == 2).count();
        assert_eq!(users, 4, "{}", bed.name);
    }
}

/// S89: an address goes to one of those who change to it, and somebody always has it.
#[tokio::test(flavor = "multi_thread")]
async fn s89_an_address_is_one_users_whoever_changes_to_it() {
    for bed in beds().await {
        let mut ids = Vec::new();
        for number in 0..10 {
            let user = ada(&format!("{number}@example.com"));
            ids.push(bed.store.create_user(&user, None).await.unwrap().id);
        }
        let ids = Arc::new(ids);
        let won = racing(&bed.store, 20, |store, number| {
            let ids = ids.clone();
            async move {
                let result = if number < 10 {
                    let mut change = UserChange::default();
                    change.email = Some("new@example.com".into());
                    store.update_user(&ids[number], change).await.map(|user| user.unwrap().id)
                } else {
                    store.create_user(&ada("new@example.com"), None).await.map(|user| user.id)
                };
                result.ok()
            }
        })
        .await;
        let won: Vec<_> = won.into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "{}", bed.name);
        assert_eq!(bed.store.user_by_email("new@example.com").await.unwrap().unwrap().id, won[0]);
        for (number, id) in ids.iter().enumerate().filter(|(_, id)| **id != won[0]) {
            let email = format!("{number}@example.com");
            assert_eq!(bed.store.user(id).await.unwrap().unwrap().email, Some(email.clone()));
            assert_eq!(bed.store.user_by_email(&email).await.unwrap().unwrap().id, *id);
        }
    }
}

/// Changes of different members of one user, all at once, are all made.
#[tokio::test(flavor = "multi_thread")]
async fn s22_no_change_of_a_user_is_lost() {
    for bed in beds().await {
        let user = bed.store.create_user(&ada("ada@example.com"), None).await.unwrap();
        racing(&bed.store, 20, |store, number| {
            let id = user.id.clone();
            async move {
                let mut change = UserChange::default();
                change.extra.insert(format!("m{number}"), json!(number));
                store.update_user(&id, change).await.unwrap().unwrap();
            }
        })
        .await;
        let user = bed.store.user(&user.id).await.unwrap().unwrap();
        assert_eq!(user.extra.len(), 21, "{}", bed.name);
    }
}

/// A limit holds once the last of several sign-ins is done, and the list is what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_sessions_holds_under_sign_ins_at_once() {
    for bed in beds().await {
        for limit in [1, 3] {
            let user = format!("u{limit}");
            racing(&bed.store, 20, |store, number| {
                let mut session = session(&format!("{limit}-{number}"), &user);
                session.created = Some(at(number as i64 % 4));
                async move { store.create_session(&session, Some(limit.try_into().unwrap())).await.unwrap() }
            })
            .await;
            let listed = bed.store.sessions_of(&user).await.unwrap();
            assert_eq!(listed.len(), limit, "{}", bed.name);
            let listed: HashSet<_> = listed.iter().map(|session| session.key.clone()).collect();
            for number in 0..20 {
                let key = key(&format!("{limit}-{number}"));
                let there = bed.store.session(&key).await.unwrap().is_some();
                assert_eq!(there, listed.contains(&key), "{} {number}", bed.name);
            }
        }
    }
}

/// S24: sessions that are begun while all of a user's are ended, or the user deleted, are ended or listed.
#[tokio::test(flavor = "multi_thread")]
async fn s24_no_session_is_there_that_is_not_listed() {
    for bed in beds().await {
        racing(&bed.store, 30, |store, number| async move {
            if number % 3 == 0 {
                store.end_sessions_of("u", None).await.unwrap();
            } else {
                store.create_session(&session(&number.to_string(), "u"), None).await.unwrap();
            }
        })
        .await;
        let listed: HashSet<_> =
            bed.store.sessions_of("u").await.unwrap().iter().map(|session| session.key.clone()).collect();
        for number in 0..30 {
            let key = key(&number.to_string());
            let there = bed.store.session(&key).await.unwrap().is_some();
            assert_eq!(there, listed.contains(&key), "{} {number}", bed.name);
        }
        assert_eq!(bed.store.end_sessions_of("u", None).await.unwrap(), listed.len() as u64);
    }
}
