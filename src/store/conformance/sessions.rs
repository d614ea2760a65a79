//! Making, reading, extending and ending sessions.

use std::time::Duration;

use serde_json::{Map, json};

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, in_seconds, one_of, random, random_key, session_of},
    race::{at_once, shuffled},
    texts::{alike, near_misses, with_nul},
};
use crate::{
    clock::Timestamp,
    store::{Replaced, SessionKey, StoredSession},
};

pub(super) const CHECKS: &[Check] = checks! {
    sessions_come_back_as_they_were_made: "session: the session with this key, as it was made",
    times_of_sessions_are_kept: "times keep milliseconds",
    s20_unknown_keys_become_no_sessions: "no method but create_session makes a session",
    s20_a_key_is_taken_once: "create_session: Conflict if there is a session with this key",
    s20_a_key_is_taken_once_at_once: "create_session makes only one that is not there",
    sessions_are_extended_if_that_is_later: "extend_session: only if the session is there and ends earlier",
    extensions_at_once_end_at_the_latest: "extend_session: in one write that happens only if the session ends earlier",
    expired_sessions_are_answered_or_gone: "expiry is judged by the caller: an expired row that is there is answered like any other",
    s21_ended_sessions_stay_away: "nothing comes back",
    s21_slow_writers_bring_nothing_back: "nothing comes back, whoever writes at the same moment",
    s26_sessions_of_a_user_are_listed_in_order: "sessions_of: those that were begun first in front, expired ones among them",
    s25_all_but_one_are_ended: "end_sessions_of: ends the sessions of a user, all but `keep`; says how many",
    s91_keys_are_compared_exactly: "texts are compared exactly, by case and by code point",
    s91_users_of_sessions_are_compared_exactly: "texts are compared exactly, by case and by code point",
    reports_are_short_lines: "report: empty if nothing is missing",
};

async fn sessions_come_back_as_they_were_made(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let mut session = session_of(&kit.user_id().await?);
    sessions.create_session(&session, None).await?;
    ensure!(
        sessions.session(&session.key).await?.as_ref() == Some(&session),
        "a plain session came back changed"
    );

    session.key = random_key();
    if kit.extent.session_details {
        session.created = Some(Timestamp::from_millis(1_771_070_400_007));
        session.last_seen = Some(Timestamp::from_millis(1_771_070_400_999));
        session.address = Some("2001:db8::1%eth0".to_owned());
        session.user_agent = Some(format!("Mozilla/5.0 ('\"\\;%) 🙂 {}", "x".repeat(400)));
    }
    if kit.extent.session_data {
        session.data = Map::from_iter([("cart".to_owned(), json!([1, {"a": null}]))]);
    }
    sessions.create_session(&session, None).await?;
    let found = sessions.session(&session.key).await?;
    ensure!(found.as_ref() == Some(&session), "made: {session:?}; found: {found:?}, or a text differs");
    let recent = sessions.recent_session(&session.key).await?;
    ensure!(recent.as_deref() == Some(&session), "`recent_session` answers something else: {recent:?}");
    Ok(())
}

async fn times_of_sessions_are_kept(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let user_id = kit.user_id().await?;
    let soon = in_seconds(3600).as_millis() / 1000 * 1000;
    for millis in [soon, soon + 1, soon + 999, 4_102_444_800_123, 253_402_300_799_000] {
        let expires = Timestamp::from_millis(millis);
        let mut session = StoredSession { expires, ..session_of(&user_id) };
        if kit.extent.session_details {
            (session.created, session.last_seen) = (Some(Timestamp::from_millis(1)), Some(expires));
        }
        sessions.create_session(&session, None).await?;
        let found = sessions.session(&session.key).await?;
        ensure!(found.as_ref() == Some(&session), "{session:?} came back as {found:?}");
    }
    Ok(())
}

async fn s20_unknown_keys_become_no_sessions(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let data = Map::from_iter([("a".to_owned(), json!(1))]);
    for number in 0..50 {
        let key = if number == 0 { SessionKey::new("") } else { random_key() };
        let extended = sessions.extend_session(&key, in_seconds(3600), in_seconds(0)).await?;
        ensure!(!extended, "an unknown session was extended");
        if kit.extent.session_data {
            let replaced = sessions.replace_session_data(&key, 0, &data).await?;
            ensure!(replaced == Replaced::Missing, "data of an unknown session: {replaced:?}");
        }
        ensure!(sessions.session(&key).await?.is_none(), "an unknown key became a session");
        ensure!(!sessions.end_session(&key).await?, "an unknown session was ended");
    }
    let nobody = uuid::Uuid::new_v4().to_string();
    ensure!(sessions.sessions_of(&nobody).await?.is_empty(), "nobody has sessions");
    ensure!(sessions.end_sessions_of(&nobody, None).await? == 0, "sessions of nobody were ended");
    Ok(())
}

async fn s20_a_key_is_taken_once(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    let other_user = kit.user_id().await?;
    let again = StoredSession { user_id: other_user.clone(), expires: in_seconds(7200), ..session.clone() };
    conflict(sessions.create_session(&again, None).await, "a session over another")?;
    conflict(sessions.create_session(&session, None).await, "a session twice")?;
    ensure!(sessions.session(&session.key).await? == Some(session.clone()), "the first session was changed");
    ensure!(sessions.sessions_of(&other_user).await?.is_empty(), "a refused session is listed");
    ensure!(sessions.sessions_of(&session.user_id).await?.len() == 1, "the first session is not listed");
    Ok(())
}

async fn s20_a_key_is_taken_once_at_once(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    kit.needs_unique_keys()?;
    let key = random_key();
    let mut users = Vec::new();
    for _ in 0..10 {
        users.push(kit.user_id().await?);
    }
    let answers = at_once(users.len(), |index| {
        let session = StoredSession { key: key.clone(), ..session_of(&users[index]) };
        let sessions = sessions.clone();
        async move { sessions.create_session(&session, None).await.map(|()| session) }
    })
    .await?;
    let winner = one_of(answers, "sessions with one key")?;
    ensure!(sessions.session(&key).await?.as_ref() == Some(&winner), "the session is not the winner's");
    for user in &users {
        let listed = sessions.sessions_of(user).await?.len();
        ensure!(
            listed == usize::from(*user == winner.user_id),
            "a user has {listed} sessions after the race"
        );
    }
    Ok(())
}

async fn sessions_are_extended_if_that_is_later(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let mut session = kit.begun_session().await?;
    // As after a step of the clock, in both directions.
    for (offset, later) in [(0, false), (-1, false), (-3_000_000, false), (1, true), (1, true), (-1, false)] {
        let expires = Timestamp::from_millis(session.expires.as_millis() + offset);
        let seen = Timestamp::from_millis(in_seconds(0).as_millis() + offset);
        let extended = sessions.extend_session(&session.key, expires, seen).await?;
        ensure!(extended == later, "by {offset} ms: extended is {extended}");
        if later {
            session.expires = expires;
            session.last_seen = kit.extent.session_details.then_some(seen);
        }
        let found = sessions.session(&session.key).await?.map(|found| kit.as_kept(found));
        ensure!(found.as_ref() == Some(&session), "by {offset} ms: {found:?}, not {session:?}");
        let mut listed = sessions.sessions_of(&session.user_id).await?;
        let listed = listed.pop().map(|listed| kit.as_kept(listed));
        ensure!(listed.as_ref() == Some(&session), "by {offset} ms: the list says {listed:?}");
    }
    Ok(())
}

async fn extensions_at_once_end_at_the_latest(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    let end = |seconds: u64| session.expires.plus(Duration::from_secs(seconds + 1));
    let answers = at_once(20, |index| {
        let (sessions, key, end) = (sessions.clone(), session.key.clone(), end(shuffled(index)));
        async move { sessions.extend_session(&key, end, end).await }
    })
    .await?;
    let mut extended = false;
    for answer in answers {
        extended |= answer?;
    }
    ensure!(extended, "all ends were refused");
    let found = sessions.session(&session.key).await?.map(|found| found.expires);
    ensure!(found == Some(end(19)), "it ends at {found:?}, not at {}", end(19));
    Ok(())
}

async fn expired_sessions_are_answered_or_gone(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let expires = Timestamp::from_millis(946_684_800_000);
    let session = StoredSession { expires, ..session_of(&kit.user_id().await?) };
    sessions.create_session(&session, None).await?;
    let found = sessions.session(&session.key).await?;
    ensure!(kit.extent.evicts_expired || found.is_some(), "an expired session is gone");
    ensure!(found.is_none() || found.as_ref() == Some(&session), "an expired session came back changed");
    if found.is_some() {
        let listed = sessions.sessions_of(&session.user_id).await?;
        ensure!(listed == [session.clone()], "an expired session is not listed");
    }
    let later = in_seconds(3600);
    let extended = sessions.extend_session(&session.key, later, in_seconds(0)).await?;
    ensure!(found.is_some() || !extended, "a session that was gone has been extended");
    let found = sessions.session(&session.key).await?;
    ensure!(found.is_some() == extended, "extended is {extended}, and it is there: {}", found.is_some());
    Ok(())
}

async fn s21_ended_sessions_stay_away(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    let read = sessions.session(&session.key).await?.map_or(0, |read| read.version);
    ensure!(sessions.recent_session(&session.key).await?.is_some(), "there is a session");
    ensure!(sessions.end_session(&session.key).await?, "there was a session");
    ensure!(
        sessions.recent_session(&session.key).await?.is_none(),
        "it ended here, and that is not seen here"
    );
    ensure!(!sessions.end_session(&session.key).await?, "there was no session any more");
    // What was read before is written now.
    let extended = sessions.extend_session(&session.key, in_seconds(7200), in_seconds(0)).await?;
    ensure!(!extended, "an ended session was extended");
    if kit.extent.session_data {
        for version in [read, read + 1] {
            let replaced = sessions.replace_session_data(&session.key, version, &session.data).await?;
            ensure!(replaced == Replaced::Missing, "data of an ended session: {replaced:?}");
        }
    }
    ensure!(sessions.session(&session.key).await?.is_none(), "an ended session is there");
    ensure!(sessions.sessions_of(&session.user_id).await?.is_empty(), "an ended session is listed");
    Ok(())
}

async fn s21_slow_writers_bring_nothing_back(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    for round in 0..30 {
        let session = kit.begun_session().await?;
        let with_data = kit.extent.session_data;
        let ended = at_once(9, |index| {
            let (sessions, session) = (sessions.clone(), session.clone());
            let expires = session.expires.plus(Duration::from_secs(index as u64 + 1));
            async move {
                match index {
                    // By each of the ways in which sessions end.
                    4 if round % 2 == 0 => sessions.end_session(&session.key).await,
                    4 => Ok(sessions.end_sessions_of(&session.user_id, None).await? == 1),
                    _ if index % 2 == 0 && with_data => {
                        sessions.replace_session_data(&session.key, 0, &session.data).await.map(|_| true)
                    }
                    _ => sessions.extend_session(&session.key, expires, expires).await.map(|_| true),
                }
            }
        })
        .await?;
        for ended in ended {
            ensure!(ended?, "the session was ended by nobody");
        }
        ensure!(sessions.session(&session.key).await?.is_none(), "an ended session came back");
        ensure!(sessions.sessions_of(&session.user_id).await?.is_empty(), "an ended session is listed");
    }
    Ok(())
}

async fn s26_sessions_of_a_user_are_listed_in_order(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let (user_id, other_id) = (kit.user_id().await?, kit.user_id().await?);
    ensure!(sessions.sessions_of(&user_id).await?.is_empty(), "a new user has sessions");
    let mut made = Vec::new();
    for number in 0..12_u64 {
        let mut session = StoredSession { expires: in_seconds(3600 + number), ..session_of(&user_id) };
        if kit.extent.session_details {
            session.created =
                Some(Timestamp::from_millis(1_771_070_400_000 + i64::try_from(number).unwrap_or(0)));
        }
        sessions.create_session(&session, None).await?;
        sessions.create_session(&session_of(&other_id), None).await?;
        made.push(session);
    }
    ensure!(sessions.sessions_of(&user_id).await? == made, "not all sessions, or in another order");
    let ended = made.remove(5);
    sessions.end_session(&ended.key).await?;
    // Longer than the others: the order stays.
    made[0].expires = in_seconds(9000);
    let seen = in_seconds(0);
    sessions.extend_session(&made[0].key, made[0].expires, seen).await?;
    if kit.extent.session_details {
        made[0].last_seen = Some(seen);
        ensure!(sessions.sessions_of(&user_id).await? == made, "the list is not what is left, in its order");
    }
    ensure!(sessions.sessions_of(&user_id).await?.len() == 11, "not one less");
    Ok(())
}

async fn s25_all_but_one_are_ended(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let (user_id, other_id) = (kit.user_id().await?, kit.user_id().await?);
    let mut keys = Vec::new();
    for _ in 0..5 {
        let session = session_of(&user_id);
        sessions.create_session(&session, None).await?;
        keys.push(session.key);
    }
    let other = session_of(&other_id);
    sessions.create_session(&other, None).await?;

    let ended = sessions.end_sessions_of(&user_id, Some(&keys[2])).await?;
    ensure!(ended == 4, "{ended} sessions were ended, not 4");
    for (index, key) in keys.iter().enumerate() {
        let there = sessions.session(key).await?.is_some();
        ensure!(there == (index == 2), "the kept one is gone or another is there");
    }
    ensure!(sessions.end_sessions_of(&user_id, Some(&keys[2])).await? == 0, "there was no other");
    // Somebody else's session keeps nothing of this user's.
    ensure!(sessions.end_sessions_of(&user_id, Some(&other.key)).await? == 1, "one was left to be ended");
    ensure!(sessions.sessions_of(&user_id).await?.is_empty(), "a session is left");
    ensure!(sessions.end_sessions_of(&user_id, None).await? == 0, "there is nothing left to be ended");
    ensure!(sessions.session(&other.key).await? == Some(other), "the session of another user is gone");
    Ok(())
}

async fn s91_keys_are_compared_exactly(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let user_id = kit.user_id().await?;
    let mut made = Vec::new();
    for (number, text) in (0..).zip(alike()) {
        let session = StoredSession {
            key: SessionKey::new(text),
            expires: in_seconds(3600 + number),
            ..session_of(&user_id)
        };
        let answer = sessions.create_session(&session, None).await;
        ensure!(answer.is_ok(), "the key {:?} was refused: {answer:?}", session.key.as_str());
        made.push(session);
    }
    for session in &made {
        let found = sessions.session(&session.key).await?;
        ensure!(found.as_ref() == Some(session), "{:?} found another session", session.key.as_str());
    }
    while let Some(session) = made.pop() {
        ensure!(sessions.end_session(&session.key).await?, "{:?} was ended before", session.key.as_str());
        let left = sessions.sessions_of(&user_id).await?.len();
        ensure!(left == made.len(), "{:?} ended others", session.key.as_str());
    }
    let session = StoredSession { key: SessionKey::new(format!("Key-{}", random())), ..session_of(&user_id) };
    sessions.create_session(&session, None).await?;
    for near in near_misses(session.key.as_str()) {
        let key = SessionKey::new(near.as_str());
        ensure!(sessions.session(&key).await?.is_none(), "{near:?} found a session");
        let extended = sessions.extend_session(&key, in_seconds(7200), in_seconds(0)).await?;
        ensure!(!extended && !sessions.end_session(&key).await?, "{near:?} reached a session");
    }
    for near in with_nul(session.key.as_str()) {
        let found = sessions.session(&SessionKey::new(near)).await.unwrap_or_default();
        ensure!(found.is_none(), "a key with U+0000 found a session");
    }
    ensure!(sessions.session(&session.key).await? == Some(session), "a similar key changed a session");
    Ok(())
}

async fn s91_users_of_sessions_are_compared_exactly(kit: &Kit) -> Checked {
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    for near in near_misses(&session.user_id) {
        // A part of a number is a number, and may be somebody's.
        let listed = sessions.sessions_of(&near).await?;
        ensure!(listed.iter().all(|listed| listed.user_id == near), "{near:?} lists sessions of others");
        if listed.is_empty() {
            ensure!(sessions.end_sessions_of(&near, None).await? == 0, "{near:?} ended sessions");
        }
    }
    ensure!(sessions.session(&session.key).await?.is_some(), "a similar id ended a session");
    if kit.users.is_some() {
        return Ok(());
    }
    let texts = alike();
    for text in &texts {
        let answer = sessions.create_session(&session_of(text), None).await;
        ensure!(answer.is_ok(), "a session of {text:?} was refused: {answer:?}");
    }
    for text in &texts {
        let listed = sessions.sessions_of(text).await?;
        ensure!(listed.len() == 1 && listed[0].user_id == *text, "{text:?} has {} sessions", listed.len());
        ensure!(sessions.end_sessions_of(text, None).await? == 1, "{text:?} ended more than their own");
    }
    Ok(())
}

async fn reports_are_short_lines(kit: &Kit) -> Checked {
    for line in kit.sessions()?.report() {
        ensure!(!line.trim().is_empty() && !line.contains('\n'), "not a line: {line:?}");
    }
    Ok(())
}
