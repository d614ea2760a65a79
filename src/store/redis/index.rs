//! Which sessions a user has, and when sessions end: sorted sets beside the sessions, which lie in other slots.
//!
//! A session is noted as moving before it is written, and as begun after that; it is noted as moving again
//! before it is removed for others. So whatever is there is noted somewhere, wherever a program stops. What is
//! noted and is not there is struck off when it is next seen, unless it may be on its way.

use std::collections::HashSet;

use super::{
    RedisStore,
    layout::{UserSessions, encode_all},
    record, script,
};
use crate::{
    clock::Timestamp,
    store::{Result, SessionKey, StoredSession},
};

/// How many sessions are read with one command.
const BATCH: usize = 256;

/// The sessions of a user as they are noted, with the time by which they stand there.
#[derive(Default)]
struct Noted {
    begun: Vec<(String, f64)>,
    moving: Vec<(String, f64)>,
    /// Moving for so long that nobody moves them any more.
    stuck: Vec<(String, f64)>,
}

impl RedisStore {
    pub(super) async fn note_beginning(&self, session: &StoredSession) -> Result<()> {
        let keys = self.keys.user_sessions(&session.user_id);
        self.link.run(script::BEGIN.key(keys.moving).arg(session.key.as_str())).await
    }

    /// Notes that a session has begun. `None` if it was ended meanwhile; else those that have to go for it, which
    /// are noted as moving.
    pub(super) async fn settle(&self, session: &StoredSession, limit: String) -> Result<Option<Vec<String>>> {
        let UserSessions { sessions, moving, ends } = self.keys.user_sessions(&session.user_id);
        let mut script = script::SETTLE.key(sessions);
        script.key(moving).key(ends).arg(session.key.as_str()).arg(super::millis(session.created));
        script.arg(session.expires.as_millis()).arg(encode_all(&session.user_id)).arg(limit);
        let answer: Vec<String> = self.link.run(&script).await?;
        let mut answer = answer.into_iter();
        Ok(answer.next().map(|_| answer.collect()))
    }

    /// Notes when a session ends, and that it is there if nobody has noted that.
    pub(super) async fn touch(&self, session: &StoredSession) -> Result<()> {
        let UserSessions { sessions, ends, .. } = self.keys.user_sessions(&session.user_id);
        let mut script = script::TOUCH.key(sessions);
        script.key(ends).arg(session.key.as_str()).arg(super::millis(session.created));
        script.arg(session.expires.as_millis()).arg(encode_all(&session.user_id));
        self.link.run(&script).await
    }

    /// Strikes off sessions that are gone.
    pub(super) async fn forget(&self, user: &str, sessions: &[String]) -> Result<()> {
        if sessions.is_empty() {
            return Ok(());
        }
        let keys = self.keys.user_sessions(user);
        let mut script = script::FORGET.key(keys.sessions);
        script.key(keys.moving).key(keys.ends).arg(encode_all(user)).arg(sessions);
        self.link.run(&script).await
    }

    /// Keeps sessions from settling that are being begun.
    pub(super) async fn stop(&self, user: &str, sessions: &[String]) -> Result<()> {
        if sessions.is_empty() {
            return Ok(());
        }
        let moving = self.keys.user_sessions(user).moving;
        self.link.send(redis::cmd("ZREM").arg(moving).arg(sessions)).await
    }

    /// All sessions that are noted as this user's, there or not.
    pub(super) async fn noted(&self, user: &str) -> Result<Vec<String>> {
        let Noted { begun, moving, stuck } = self.list(user).await?;
        let mut seen = HashSet::new();
        let mut noted: Vec<_> = begun.into_iter().chain(moving).chain(stuck).map(|(key, _)| key).collect();
        noted.extend(self.last_of_node(user).await?);
        noted.retain(|key| seen.insert(key.clone()));
        Ok(noted)
    }

    /// The sessions of a user, those that were begun first in front. Puts the notes right.
    pub(super) async fn read_sessions(&self, user: &str) -> Result<Vec<StoredSession>> {
        let noted = self.list(user).await?;
        let (begun, mut gone) = self.theirs(user, noted.begun).await?;
        let (moving, _) = self.theirs(user, noted.moving).await?;
        let (stuck, never) = self.theirs(user, noted.stuck).await?;
        for (session, _) in &stuck {
            self.settle(session, String::new()).await?;
        }
        gone.extend(never);
        self.forget(user, &gone).await?;
        let mut found: Vec<_> = begun.into_iter().chain(moving).chain(stuck).collect();
        let mut seen = HashSet::new();
        found.retain(|(session, _)| seen.insert(session.key.clone()));
        if let Some(last) = self.last_of_node(user).await?
            && !seen.contains(&SessionKey::new(last.as_str()))
        {
            let (by_node, _) = self.theirs(user, vec![(last, f64::MAX)]).await?;
            for (session, _) in &by_node {
                self.touch(session).await?;
            }
            found.extend(by_node);
        }
        found.sort_by(|(one, noted), (other, at)| {
            let begun = |session: &StoredSession, noted: f64| {
                session.created.map_or(noted, |created| created.as_millis() as f64)
            };
            begun(one, *noted).total_cmp(&begun(other, *at)).then_with(|| one.key.cmp(&other.key))
        });
        Ok(found.into_iter().map(|(session, _)| session).collect())
    }

    async fn list(&self, user: &str) -> Result<Noted> {
        let keys = self.keys.user_sessions(user);
        let (begun, moving, stuck): (Vec<String>, Vec<String>, Vec<String>) =
            self.link.run_reading(script::LIST.key(keys.sessions).key(keys.moving)).await?;
        Ok(Noted { begun: scored(begun), moving: scored(moving), stuck: scored(stuck) })
    }

    /// Those of these sessions that are there and this user's, and those that are not.
    async fn theirs(
        &self,
        user: &str,
        noted: Vec<(String, f64)>,
    ) -> Result<(Vec<(StoredSession, f64)>, Vec<String>)> {
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        for batch in noted.chunks(BATCH) {
            let keys: Vec<_> = batch.iter().map(|(key, _)| self.keys.session(key)).collect();
            for ((key, at), text) in batch.iter().zip(self.get_all(&keys).await?) {
                match self.parse_session(&SessionKey::new(key.as_str()), text.as_deref())? {
                    Some((session, _)) if session.user_id == user => there.push((session, *at)),
                    _ => gone.push(key.clone()),
                }
            }
        }
        Ok((there, gone))
    }

    /// The session that the adapter takes for the last one of a user.
    async fn last_of_node(&self, user: &str) -> Result<Option<String>> {
        let Some(last) = self.keys.last_session(user) else { return Ok(None) };
        Ok(self.get(&last).await?.and_then(|key| self.keys.session_of(&key)))
    }

    /// Removes what has ended in one shard.
    pub(super) async fn expire_sessions(&self, shard: u8, now: Timestamp, limit: u64) -> Result<u64> {
        let ends = self.keys.session_ends(shard);
        let mut removed = 0;
        while removed < limit {
            let over = self.over(&ends, now, limit - removed).await?;
            if over.is_empty() {
                break;
            }
            removed += self.expire_noted(&ends, &over, now).await?;
        }
        Ok(removed)
    }

    /// Removes those of these sessions that have ended, and notes when the others do.
    async fn expire_noted(&self, ends: &str, over: &[String], now: Timestamp) -> Result<u64> {
        let mut removed = 0;
        let noted: Vec<_> = over.iter().map(|member| (member, super::layout::split(member))).collect();
        let redis_key = |key: Option<&str>| self.keys.session(key.unwrap_or_default());
        let keys: Vec<_> =
            noted.iter().map(|(_, split)| redis_key(split.as_ref().map(|(_, key)| *key))).collect();
        let texts = self.get_all(&keys).await?;
        for (((member, split), redis_key), text) in noted.into_iter().zip(keys).zip(texts) {
            let Some((user, key)) = split else {
                self.link.send::<()>(redis::cmd("ZREM").arg(ends).arg(member)).await?;
                continue;
            };
            let key_of = SessionKey::new(key);
            // What cannot be read is left to whoever asks for it, and to its time to live.
            let session = self.parse_session(&key_of, text.as_deref()).ok().flatten();
            match session.filter(|(session, _)| session.user_id == user) {
                Some((session, _)) if session.expires > now => {
                    let at = session.expires.as_millis();
                    self.link.send::<()>(redis::cmd("ZADD").arg(ends).arg(at).arg(member)).await?;
                    continue;
                }
                Some((_, text)) => {
                    if self.drop_unchanged(&redis_key, &text).await? {
                        removed += 1;
                    } else if self.get(&redis_key).await?.is_some() {
                        // It was extended meanwhile, and is looked at again.
                        continue;
                    }
                }
                None => {}
            }
            self.forget(&user, &[key.to_owned()]).await?;
        }
        Ok(removed)
    }

    /// The session in a text and the text, if it is the one with this key.
    pub(super) fn parse_session(
        &self,
        key: &SessionKey,
        text: Option<&str>,
    ) -> Result<Option<(StoredSession, String)>> {
        let Some(text) = text else { return Ok(None) };
        Ok(record::session(&record::record(text)?, key)?.map(|session| (session, text.to_owned())))
    }
}

/// Members and scores as a script answers them, one after the other.
fn scored(flat: Vec<String>) -> Vec<(String, f64)> {
    flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].parse().unwrap_or_default())).collect()
}
