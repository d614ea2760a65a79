//! S88: futures that are dropped half-way.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use portcullis::{
    Account,
    store::{SessionStore, Store, UserChange, UserStore},
};

use crate::support::{ada, beds, key, session};

/// Polls a future `count` times and drops it. Says whether it came to its end.
async fn dropped_after<F: Future>(count: usize, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..count {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        // Others go on, the connection among them.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }
    false
}

/// S88: a user who was being made is there or not, and their address and account can be used either way.
#[tokio::test]
async fn s88_no_address_is_blocked_by_a_user_half_made() {
    for bed in beds().await {
        for polls in 0..60 {
            let (user, account) =
                (ada(&format!("{polls}@example.com")), Account::new("oauth", "acme", polls.to_string()));
            dropped_after(polls, bed.store.create_user(&user, Some(&account))).await;
            let again = bed.store.create_user(&user, Some(&account)).await;
            let found = bed.store.user_by_email(user.email.as_deref().unwrap()).await.unwrap();
            let found = found.expect("either of the two calls has made one");
            if let Ok(made) = again {
                assert_eq!(made, found, "{} {polls}", bed.name);
            }
            let by_account = bed.store.user_by_account("acme", &polls.to_string()).await.unwrap();
            assert_eq!(by_account.as_ref(), Some(&found), "{} {polls}", bed.name);
            assert_eq!(bed.store.accounts_of(&found.id).await.unwrap().len(), 1);
        }
    }
}

/// S88: so it is with a change of address, and with users who were being deleted.
#[tokio::test]
async fn s88_addresses_are_kept_or_changed_and_users_are_there_or_not() {
    for bed in beds().await {
        for polls in 0..30 {
            let (old, new) = (format!("{polls}@old.example"), format!("{polls}@new.example"));
            let user = bed.store.create_user(&ada(&old), None).await.unwrap();
            let mut change = UserChange::default();
            change.email = Some(new.clone());
            dropped_after(polls, bed.store.update_user(&user.id, change.clone())).await;
            let after = bed.store.update_user(&user.id, change).await.unwrap().unwrap();
            assert_eq!(after.email, Some(new.clone()));
            assert_eq!(bed.store.user_by_email(&new).await.unwrap(), Some(after), "{} {polls}", bed.name);

            bed.store.create_session(&session(&old, &user.id), None).await.unwrap();
            dropped_after(polls, bed.store.delete_user(&user.id)).await;
            bed.store.delete_user(&user.id).await.unwrap();
            assert!(bed.store.session_and_user(&key(&old)).await.unwrap().is_none());
            assert_eq!(bed.store.user_by_email(&new).await.unwrap(), None);
            bed.store.create_user(&ada(&new), None).await.expect("the address is free");
        }
    }
}

/// S88: a session that was being begun or ended is listed if it is there.
#[tokio::test]
async fn s88_no_session_is_there_that_is_not_listed() {
    for bed in beds().await {
        for polls in 0..40 {
            let session = session(&format!("s{polls}"), "u");
            dropped_after(polls, bed.store.create_session(&session, Some(3.try_into().unwrap()))).await;
            // What was begun goes on meanwhile: it is listed, and can be ended, before and after.
            bed.store.end_sessions_of("u", None).await.unwrap();
            let there = bed.store.session(&session.key).await.unwrap();
            let listed = bed.store.sessions_of("u").await.unwrap();
            if there.is_some() {
                let still_there = bed.store.session(&session.key).await.unwrap().is_some();
                assert!(listed.contains(&session) || !still_there, "{} {polls}", bed.name);
            }
            dropped_after(polls, bed.store.end_session(&session.key)).await;
            _ = bed.store.end_session(&session.key).await.unwrap();
        }
    }
}
