//! Sessions and users in one store.

use std::{num::NonZeroUsize, task::Poll};

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, in_seconds, random_account, random_email, random_key, session_of},
    race::at_once,
};
use crate::{
    clock::Timestamp,
    store::{SessionAndUser, SessionKey, Store, StoreErrorKind, StoredSession, UserChange},
    user::User,
};

pub(super) const CHECKS: &[Check] = checks! {
    a_session_and_its_user_are_found: "session_and_user: a session and its user",
    half_of_a_session_and_its_user_is_nothing: "session_and_user: `None` if either is missing",
    a_session_and_its_user_are_as_of_now: "session_and_user answers what was written last",
    what_is_known_now_is_as_of_now: "session_and_user_now: nothing, or what session_and_user answers",
    s24_deleting_a_user_ends_every_session: "delete_user: removes a user with their accounts and their sessions",
    s24_a_deleted_user_is_signed_in_nowhere_at_once: "delete_user, whoever begins or extends a session at the same moment",
    s24_a_session_of_nobody_is_nobodys: "session_and_user: `None` if either is missing",
    s28_a_handle_opens_nothing: "SessionKey::handle: finds the session among theirs and opens none",
};

async fn a_session_and_its_user_are_found(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let given = User::new("").name("J Smith").email(random_email()).image("i");
    let given = if kit.extent.user_extra { given.with("role", "admin") } else { given };
    let user = store.create_user(&given, Some(&random_account())).await?;
    let mut session = session_of(&user.id);
    if kit.extent.session_details {
        session.created = Some(Timestamp::from_millis(1_771_070_400_007));
        session.user_agent = Some("agent".to_owned());
    }
    if kit.extent.session_data {
        session.data.insert("a".to_owned(), "b".into());
    }
    store.create_session(&session, None).await?;
    // Another session of theirs, and somebody else's.
    store.create_session(&session_of(&user.id), None).await?;
    kit.begun_session().await?;
    let found = store.session_and_user(&session.key).await?;
    let Some(found) = found else { return Err(super::kit::broken("neither was found")) };
    ensure!(*found.session == session, "the session came back as {:?}, not {session:?}", found.session);
    ensure!(*found.user == user, "the user came back as {:?}, not {user:?}", found.user);
    Ok(())
}

async fn half_of_a_session_and_its_user_is_nothing(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let session = kit.begun_session().await?;
    ensure!(store.session_and_user(&random_key()).await?.is_none(), "an unknown key found somebody");
    // Read before by whoever keeps copies.
    ensure!(store.session_and_user(&session.key).await?.is_some(), "neither was found");
    store.end_session(&session.key).await?;
    ensure!(store.session_and_user(&session.key).await?.is_none(), "an ended session found its user");
    let session = kit.begun_session().await?;
    ensure!(store.session_and_user(&session.key).await?.is_some(), "neither was found");
    store.delete_user(&session.user_id).await?;
    ensure!(store.session_and_user(&session.key).await?.is_none(), "a deleted user was found");
    Ok(())
}

async fn a_session_and_its_user_are_as_of_now(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let session = kit.begun_session().await?;
    store.session_and_user(&session.key).await?;
    let change = UserChange { name: Some("changed".to_owned()), ..UserChange::default() };
    store.update_user(&session.user_id, change).await?;
    let later = in_seconds(7200);
    store.extend_session(&session.key, later, in_seconds(0)).await?;
    if kit.extent.session_data {
        store.replace_session_data(&session.key, 0, &session.data).await?;
    }
    let found = store.session_and_user(&session.key).await?;
    let Some(found) = found else { return Err(super::kit::broken("neither was found")) };
    ensure!(found.user.name.as_deref() == Some("changed"), "the user is as of before");
    ensure!(found.session.expires == later, "the end is as of before");
    let version = u64::from(kit.extent.session_data);
    ensure!(found.session.version == version, "the version is {}, not {version}", found.session.version);
    let alone = store.session(&session.key).await?;
    ensure!(alone.as_ref() == Some(&*found.session), "`session` answers something else");
    Ok(())
}

async fn what_is_known_now_is_as_of_now(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let session = kit.begun_session().await?;
    knows_what_it_answers(&*store, &session.key).await?;
    let change = UserChange { name: Some("changed".to_owned()), ..UserChange::default() };
    store.update_user(&session.user_id, change).await?;
    knows_what_it_answers(&*store, &session.key).await?;
    store.extend_session(&session.key, in_seconds(7200), in_seconds(0)).await?;
    knows_what_it_answers(&*store, &session.key).await?;
    store.end_session(&session.key).await?;
    knows_what_it_answers(&*store, &session.key).await?;
    let session = kit.begun_session().await?;
    knows_what_it_answers(&*store, &session.key).await?;
    store.delete_user(&session.user_id).await?;
    knows_what_it_answers(&*store, &session.key).await
}

/// In this order, and once more: whoever keeps copies may have got one in between.
async fn knows_what_it_answers(store: &dyn Store, key: &SessionKey) -> Checked {
    for _ in 0..2 {
        let known = store.session_and_user_now(key);
        let asked = store.session_and_user(key).await?;
        let Poll::Ready(known) = known else { continue };
        let both = |found: SessionAndUser| (found.session, found.user);
        ensure!(known.map(both) == asked.map(both), "what is known now is not what is answered");
    }
    Ok(())
}

async fn s24_deleting_a_user_ends_every_session(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let (user_id, other) = (kit.user_id().await?, kit.begun_session().await?);
    let mut made: Vec<_> = (0..10).map(|_| session_of(&user_id)).collect();
    made.push(StoredSession { expires: Timestamp::from_millis(946_684_800_000), ..session_of(&user_id) });
    for session in &made {
        store.create_session(session, None).await?;
        // Read by whoever keeps copies.
        store.session_and_user(&session.key).await?;
    }
    ensure!(store.delete_user(&user_id).await?, "there was a user");
    for session in &made {
        ensure!(store.session(&session.key).await?.is_none(), "a session of a deleted user is there");
        ensure!(store.session_and_user(&session.key).await?.is_none(), "a deleted user is signed in");
        let extended = store.extend_session(&session.key, in_seconds(7200), in_seconds(0)).await?;
        ensure!(!extended, "a session of a deleted user was extended");
        ensure!(!store.end_session(&session.key).await?, "a session of a deleted user was left");
    }
    ensure!(store.sessions_of(&user_id).await?.is_empty(), "a session of a deleted user is listed");
    ensure!(store.end_sessions_of(&user_id, None).await? == 0, "sessions of a deleted user were left");
    let found = store.session_and_user(&other.key).await?;
    ensure!(found.is_some_and(|found| *found.session == other), "another user's session is gone, too");
    Ok(())
}

async fn s24_a_deleted_user_is_signed_in_nowhere_at_once(kit: &Kit) -> Checked {
    let store = kit.store()?;
    for round in 0..15 {
        let user_id = kit.user_id().await?;
        let made: Vec<_> = (0..8).map(|_| session_of(&user_id)).collect();
        for session in &made[..4] {
            store.create_session(session, None).await?;
        }
        let limit = if round % 2 == 0 { None } else { NonZeroUsize::new(3) };
        let answers = at_once(made.len() + 1, |index| {
            let (store, user_id, session) = (store.clone(), user_id.clone(), made.get(index).cloned());
            async move {
                match session {
                    None => store.delete_user(&user_id).await.map(|_| ()),
                    Some(session) if index < 4 => {
                        let later = in_seconds(7200);
                        store.extend_session(&session.key, later, later).await.map(|_| ())
                    }
                    Some(session) => store.create_session(&session, limit).await,
                }
            }
        })
        .await?;
        for answer in answers {
            match answer {
                // There is no such user any more: a store may say so, and need not.
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                answer => answer?,
            }
        }
        ensure!(store.user(&user_id).await?.is_none(), "a deleted user came back");
        for session in &made {
            ensure!(store.session_and_user(&session.key).await?.is_none(), "a deleted user is signed in");
        }
        for session in &made[..4] {
            ensure!(store.session(&session.key).await?.is_none(), "a session of before was left");
        }
    }
    Ok(())
}

async fn s24_a_session_of_nobody_is_nobodys(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let user_id = kit.user_id().await?;
    store.delete_user(&user_id).await?;
    let session = session_of(&user_id);
    if let Err(error) = store.create_session(&session, None).await {
        conflict::<()>(Err(error), "a session of nobody")?;
    }
    ensure!(store.session_and_user(&session.key).await?.is_none(), "a deleted user was signed in again");
    Ok(())
}

async fn s28_a_handle_opens_nothing(kit: &Kit) -> Checked {
    let store = kit.store()?;
    let session = kit.begun_session().await?;
    let handle = session.key.handle();
    let listed = store.sessions_of(&session.user_id).await?;
    ensure!(
        listed.iter().any(|listed| listed.key.handle() == handle),
        "the handle does not find its session"
    );
    for key in [SessionKey::of_token(&handle), SessionKey::new(handle)] {
        ensure!(store.session_and_user(&key).await?.is_none(), "a handle opens a session");
    }
    Ok(())
}
