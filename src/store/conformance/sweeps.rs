//! Removing what has expired.

use std::{sync::Arc, time::Duration};

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, in_seconds, random_token, session_of},
    race::at_once,
};
use crate::{
    clock::Timestamp,
    store::{Result, SessionStore, StoredSession, VerificationToken, VerificationTokenStore},
};

pub(super) const SESSIONS: &[Check] = checks! {
    s29_expired_sessions_are_removed: "delete_expired_sessions: removes at most `limit` sessions that have ended at `now`; says how many",
    s29_many_may_sweep_sessions: "delete_expired_sessions: several instances may be at it at once",
    s29_an_extended_session_is_not_swept: "each method is atomic: a session is extended or removed",
};

pub(super) const TOKENS: &[Check] = checks! {
    s29_expired_tokens_are_removed: "delete_expired_verification_tokens: removes at most `limit` tokens that are over at `now`; says how many",
    s29_many_may_sweep_tokens: "delete_expired_verification_tokens: says how many",
};

/// The end of 1999, by when nothing ended that an application needs.
const NOW: i64 = 946_684_799_999;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

/// `count` ends, of which the last is one millisecond before `now`.
fn ended(count: i64) -> impl Iterator<Item = Timestamp> {
    (1..=count).rev().map(|millis| Timestamp::from_millis(NOW - millis))
}

async fn expired_sessions(kit: &Kit, count: i64) -> Checked<Vec<StoredSession>> {
    let sessions = kit.sessions()?;
    let user_id = kit.user_id().await?;
    let mut made = Vec::new();
    for expires in ended(count) {
        let session = StoredSession { expires, ..session_of(&user_id) };
        sessions.create_session(&session, None).await?;
        made.push(session);
    }
    Ok(made)
}

/// Removes what others have left.
async fn sweep_sessions(sessions: &Arc<dyn SessionStore>) -> Checked {
    for _ in 0..10_000 {
        if sessions.delete_expired_sessions(now(), 1000).await? == 0 {
            return Ok(());
        }
    }
    ensure!(false, "there is no end of expired sessions");
    Ok(())
}

async fn s29_expired_sessions_are_removed(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    sweep_sessions(&sessions).await?;
    let made = expired_sessions(kit, 10).await?;
    let user_id = &made[0].user_id;
    let just_not = StoredSession { expires: Timestamp::from_millis(NOW + 1), ..session_of(user_id) };
    let alive = session_of(user_id);
    for session in [&just_not, &alive] {
        sessions.create_session(session, None).await?;
    }
    let before = Timestamp::from_millis(NOW - 1_000_000);
    let mut swept = sessions.delete_expired_sessions(before, 100).await?;
    ensure!(swept == 0, "{swept} were removed before they had ended");
    ensure!(sessions.delete_expired_sessions(now(), 0).await? == 0, "a limit of 0 removed something");
    for expected in [4, 4, 2, 0] {
        let removed = sessions.delete_expired_sessions(now(), 4).await?;
        ensure!(removed <= 4, "a limit of 4 removed {removed}");
        ensure!(kit.extent.evicts_expired || removed == expected, "removed {removed}, not {expected}");
        swept += removed;
    }
    ensure!(swept <= 10, "of 10 sessions {swept} were removed");
    for session in &made {
        ensure!(sessions.session(&session.key).await?.is_none(), "a removed session is there");
    }
    let listed = sessions.sessions_of(user_id).await?;
    ensure!(listed.iter().all(|session| session.expires > now()), "a removed session is listed");
    let found = sessions.session(&just_not.key).await?;
    ensure!(kit.extent.evicts_expired || found == Some(just_not.clone()), "removed a millisecond early");
    ensure!(sessions.session(&alive.key).await? == Some(alive), "a session was removed that has not ended");
    sessions.end_session(&just_not.key).await?;
    Ok(())
}

async fn s29_many_may_sweep_sessions(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    sweep_sessions(&sessions).await?;
    let made = expired_sessions(kit, 60).await?;
    let sweeper = sessions.clone();
    let sweep = move || {
        let sessions = sweeper.clone();
        async move { sessions.delete_expired_sessions(now(), 7).await }
    };
    all_are_swept_once(kit, sweep).await?;
    for session in &made {
        ensure!(sessions.session(&session.key).await?.is_none(), "a removed session is there");
    }
    Ok(())
}

async fn s29_an_extended_session_is_not_swept(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    for _ in 0..20 {
        let made = expired_sessions(kit, 1).await?;
        let key = made[0].key.clone();
        let answers = at_once(2, |index| {
            let (sessions, key) = (sessions.clone(), key.clone());
            async move {
                match index {
                    0 => sessions.extend_session(&key, in_seconds(3600), in_seconds(0)).await,
                    _ => sessions.delete_expired_sessions(now(), 100).await.map(|_| false),
                }
            }
        })
        .await?;
        let mut extended = false;
        for answer in answers {
            extended |= answer?;
        }
        let there = sessions.session(&key).await?.is_some();
        ensure!(there == extended, "extended is {extended}, and it is there: {there}");
        sessions.end_session(&key).await?;
    }
    Ok(())
}

async fn expired_tokens(
    tokens: &Arc<dyn VerificationTokenStore>,
    count: i64,
) -> Checked<Vec<VerificationToken>> {
    for round in 0..10_000 {
        ensure!(round < 9_999, "there is no end of expired tokens");
        if tokens.delete_expired_verification_tokens(now(), 1000).await? == 0 {
            break;
        }
    }
    let mut made = Vec::new();
    for expires in ended(count) {
        let token = VerificationToken { expires, ..random_token() };
        tokens.create_verification_token(&token).await?;
        made.push(token);
    }
    Ok(made)
}

async fn s29_expired_tokens_are_removed(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    let made = expired_tokens(&tokens, 10).await?;
    let just_not = VerificationToken { expires: now().plus(Duration::from_millis(1)), ..random_token() };
    let alive = random_token();
    for token in [&just_not, &alive] {
        tokens.create_verification_token(token).await?;
    }
    ensure!(
        tokens.delete_expired_verification_tokens(now(), 0).await? == 0,
        "a limit of 0 removed something"
    );
    for expected in [4, 4, 2, 0] {
        let removed = tokens.delete_expired_verification_tokens(now(), 4).await?;
        ensure!(removed <= 4, "a limit of 4 removed {removed}");
        ensure!(kit.extent.evicts_expired || removed == expected, "removed {removed}, not {expected}");
    }
    for token in &made {
        let found = tokens.use_verification_token(&token.identifier, &token.token).await?;
        ensure!(found.is_none(), "a removed token is there");
    }
    let found = tokens.use_verification_token(&just_not.identifier, &just_not.token).await?;
    ensure!(kit.extent.evicts_expired || found == Some(just_not), "removed a millisecond early");
    let found = tokens.use_verification_token(&alive.identifier, &alive.token).await?;
    ensure!(found == Some(alive), "a token was removed that is not over");
    Ok(())
}

async fn s29_many_may_sweep_tokens(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    expired_tokens(&tokens, 60).await?;
    let sweeper = tokens.clone();
    let sweep = move || {
        let tokens = sweeper.clone();
        async move { tokens.delete_expired_verification_tokens(now(), 7).await }
    };
    all_are_swept_once(kit, sweep).await?;
    Ok(())
}

/// Six sweep the sixty that have ended, seven in one go; none counts what another has removed.
async fn all_are_swept_once<F>(kit: &Kit, sweep: impl Fn() -> F + Clone + Send + 'static) -> Checked
where
    F: Future<Output = Result<u64>> + Send + 'static,
{
    let counts = at_once(6, |_| {
        let sweep = sweep.clone();
        async move {
            let mut swept = 0;
            for _ in 0..20 {
                swept += sweep().await?;
            }
            Checked::Ok(swept)
        }
    })
    .await?;
    let mut swept = 0;
    for count in counts {
        swept += count?;
    }
    ensure!(kit.extent.evicts_expired || swept == 60, "six at once counted {swept} of 60");
    Ok(())
}
