//! How many sessions a user may have.

use std::num::NonZeroUsize;

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, in_seconds, session_of},
    race::at_once,
};
use crate::{clock::Timestamp, store::StoredSession};

pub(super) const CHECKS: &[Check] = checks! {
    s101_the_first_begun_are_ended: "create_session: those of its user that were begun first are ended until so many are left",
    s101_a_refused_session_ends_none: "each method is atomic: it has happened or it has not",
    s101_sign_ins_at_once_stay_within_the_limit: "create_session: at most `limit` are there once the last of several calls is done",
};

/// The `number`th session of a user.
fn numbered(kit: &Kit, user_id: &str, number: u32) -> StoredSession {
    let mut session = StoredSession { expires: in_seconds(3600 + u64::from(number)), ..session_of(user_id) };
    if kit.extent.session_details {
        session.created = Some(Timestamp::from_millis(1_771_070_400_000 + i64::from(number)));
    }
    session
}

async fn s101_the_first_begun_are_ended(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let (user_id, other_id) = (kit.user_id().await?, kit.user_id().await?);
    let mut made = Vec::new();
    for number in 0..5 {
        sessions.create_session(&numbered(kit, &other_id, number), None).await?;
        let session = numbered(kit, &user_id, number);
        sessions.create_session(&session, None).await?;
        made.push(session);
    }
    for (number, limit) in [(5, 10), (6, 3), (7, 3), (8, 1), (9, 1), (10, 2)] {
        let session = numbered(kit, &user_id, number);
        sessions.create_session(&session, NonZeroUsize::new(limit)).await?;
        made.push(session);
        let first = made.len().saturating_sub(limit);
        let ended: Vec<_> = made.drain(..first).collect();
        let left = sessions.sessions_of(&user_id).await?;
        ensure!(left == made, "limit {limit}: {} are left, not the last {}", left.len(), made.len());
        for session in ended {
            ensure!(sessions.session(&session.key).await?.is_none(), "limit {limit}: an ended one is there");
        }
    }
    let others = sessions.sessions_of(&other_id).await?.len();
    ensure!(others == 5, "of 5 sessions of another user {others} are left");
    Ok(())
}

async fn s101_a_refused_session_ends_none(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let user_id = kit.user_id().await?;
    let made: Vec<_> = (0..3).map(|number| numbered(kit, &user_id, number)).collect();
    for session in &made {
        sessions.create_session(session, None).await?;
    }
    let again = sessions.create_session(&made[1], NonZeroUsize::new(1)).await;
    conflict(again, "a session over another")?;
    ensure!(sessions.sessions_of(&user_id).await? == made, "a refused session has ended others");
    Ok(())
}

async fn s101_sign_ins_at_once_stay_within_the_limit(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    for limit in [1, 3] {
        let user_id = kit.user_id().await?;
        let made: Vec<_> = (0..20).map(|number| numbered(kit, &user_id, number)).collect();
        let answers = at_once(made.len(), |index| {
            let (sessions, session) = (sessions.clone(), made[index].clone());
            async move { sessions.create_session(&session, NonZeroUsize::new(limit)).await }
        })
        .await?;
        for answer in answers {
            answer?;
        }
        let mut there = 0;
        for session in &made {
            there += usize::from(sessions.session(&session.key).await?.is_some());
        }
        let listed = sessions.sessions_of(&user_id).await?.len();
        ensure!((1..=limit).contains(&there), "limit {limit}: {there} sessions are there");
        ensure!(listed == there, "limit {limit}: {listed} sessions are listed, {there} are there");
    }
    Ok(())
}
