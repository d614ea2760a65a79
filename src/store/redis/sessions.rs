//! Sessions.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    RedisStore,
    claim::Found,
    layout::SHARDS,
    record::{self, DEAD},
    script,
};
use crate::{
    clock::Timestamp,
    store::{Replaced, Result, SessionKey, SessionStore, StoreError, StoredSession},
    user::User,
};

#[async_trait]
impl SessionStore for RedisStore {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        let session = session.clone();
        self.to_the_end(|store| async move { store.begin(&session, limit).await }).await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        Ok(self.read_session(key).await?.map(|(session, _)| session))
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        loop {
            let Some((mut session, old)) = self.read_session(key).await? else { return Ok(false) };
            if session.expires >= expires {
                return Ok(false);
            }
            let mut record = record::record(&old)?;
            record::set_end(&mut record, expires, seen);
            let redis_key = self.keys.session(key.as_str());
            if self.swap(&redis_key, &old, &record::text(record), Some(expires)).await? {
                session.expires = expires;
                // It is extended, whatever comes of this: the notes are put right when they are read.
                _ = self.touch(&session).await;
                _ = self.note_last_session(&session).await;
                return Ok(true);
            }
        }
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        loop {
            let Some((session, old)) = self.read_session(key).await? else { return Ok(Replaced::Missing) };
            if session.version != version {
                return Ok(Replaced::Stale);
            }
            let mut record = record::record(&old)?;
            record::set_data(&mut record, version + 1, data);
            let redis_key = self.keys.session(key.as_str());
            if self.swap(&redis_key, &old, &record::text(record), Some(session.expires)).await? {
                return Ok(Replaced::Done);
            }
        }
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        let key = key.clone();
        self.to_the_end(|store| async move {
            let redis_key = store.keys.session(key.as_str());
            let taken: Option<String> = store.link.send(redis::cmd("GETDEL").arg(&redis_key)).await?;
            // It has ended, whatever comes of this: the notes are put right when they are read.
            if let Ok(Some((session, _))) = store.parse_session(&key, taken.as_deref()) {
                _ = store.forget(&session.user_id, &[key.as_str().to_owned()]).await;
                if let Some(last) = store.keys.last_session(&session.user_id) {
                    _ = store.drop_unchanged(&last, &redis_key).await;
                }
            }
            Ok(taken.is_some())
        })
        .await
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        self.read_sessions(user_id).await
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        let (user, keep) = (user_id.to_owned(), keep.cloned());
        self.to_the_end(|store| async move {
            let mut noted = store.noted(&user).await?;
            noted.retain(|key| keep.as_ref().is_none_or(|keep| keep.as_str() != key));
            store.remove(&user, &noted).await
        })
        .await
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let mut removed = 0;
        for shard in 0..SHARDS {
            if removed < u64::from(limit) {
                removed += self.expire_sessions(shard, now, u64::from(limit) - removed).await?;
            }
        }
        Ok(removed)
    }

    fn report(&self) -> Vec<String> {
        if !self.keys.shared_with_node() {
            return Vec::new();
        }
        [
            "sessions and one-time tokens that Node has written have no time to live: of these, only sessions \
             that were extended by this program are ever removed",
            "Node changes sessions and users by reading and writing in two steps: it may undo what this program \
             has written in between, and bring back a session that was ended in between",
            "Node takes one-time tokens out in two steps: one that Node and this program use at once may be used \
             twice",
            "the adapter knows the last session of a user only: older ones that Node has made are listed, and \
             ended with all others, once this program has extended them",
            "Node does not refuse a second user with the same address, nor an account that another user has",
            "the keys of the adapter lie in any slot of a cluster and are not encoded: prefixes must be such \
             that none begins another tenant's",
        ]
        .map(str::to_owned)
        .into()
    }
}

impl RedisStore {
    async fn begin(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        let key = self.keys.session(session.key.as_str());
        if self.get(&key).await?.is_some() {
            return Err(StoreError::conflict("this session is there already"));
        }
        if limit.is_some() {
            // What is noted and not there must not count.
            self.read_sessions(&session.user_id).await?;
        }
        self.note_beginning(session).await?;
        let text = record::text(record::session_record(session));
        if !self.put(&key, &text, Some(session.expires)).await? {
            return Err(StoreError::conflict("this session is there already"));
        }
        let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
        match self.settle(session, limit).await? {
            Some(over) => {
                self.remove(&session.user_id, &over).await?;
                // It has begun, whether Node is told that it is the last or not.
                _ = self.note_last_session(session).await;
                Ok(())
            }
            // All sessions of the user were ended while this one was being begun.
            None => self.delete(&[key]).await.map(drop),
        }
    }

    /// Ends sessions of a user.
    async fn remove(&self, user: &str, sessions: &[String]) -> Result<u64> {
        self.stop(user, sessions).await?;
        let keys: Vec<_> = sessions.iter().map(|key| self.keys.session(key)).collect();
        let mut removed = 0;
        for (session, (key, text)) in sessions.iter().zip(keys.iter().zip(self.get_all(&keys).await?)) {
            let found = self.parse_session(&SessionKey::new(session.as_str()), text.as_deref());
            // A session that cannot be read is noted as theirs; one that can be says whose it is.
            if !matches!(&found, Ok(Some((session, _))) if session.user_id != user) && text.is_some() {
                removed += self.delete(std::slice::from_ref(key)).await?;
            }
        }
        if let (Some(last), false) = (self.keys.last_session(user), keys.is_empty())
            && self.get(&last).await?.is_some_and(|key| keys.contains(&key))
        {
            self.delete(&[last]).await?;
        }
        self.forget(user, sessions).await?;
        Ok(removed)
    }

    /// The session and the text of it.
    async fn read_session(&self, key: &SessionKey) -> Result<Option<(StoredSession, String)>> {
        let text = self.get(&self.keys.session(key.as_str())).await?;
        self.parse_session(key, text.as_deref())
    }

    /// Tells Node which session was the last of its user.
    async fn note_last_session(&self, session: &StoredSession) -> Result<()> {
        let Some(last) = self.keys.last_session(&session.user_id) else { return Ok(()) };
        self.set(&last, &self.keys.session(session.key.as_str())).await
    }

    pub(super) async fn session_and_user_at_once(
        &self,
        key: &SessionKey,
    ) -> Result<Option<(StoredSession, User)>> {
        let mut script = script::SESSION_AND_USER.key(self.keys.session(key.as_str()));
        script.arg(&self.keys.user).arg(self.keys.encoded_in_lua());
        let texts: Vec<String> = self.link.run_reading(&script).await?;
        let Some((session, _)) = self.parse_session(key, texts.first().map(String::as_str))? else {
            return Ok(None);
        };
        match texts.get(1) {
            Some(text) if text == DEAD => Ok(None),
            Some(text) => {
                Ok(record::user(&record::record(text)?, &session.user_id)?.map(|user| (session, user)))
            }
            // The user is not there, or the script could not read the session.
            None => self.with_user(session).await,
        }
    }

    pub(super) async fn session_and_user_in_turn(
        &self,
        key: &SessionKey,
    ) -> Result<Option<(StoredSession, User)>> {
        match self.session(key).await? {
            Some(session) => self.with_user(session).await,
            None => Ok(None),
        }
    }

    async fn with_user(&self, session: StoredSession) -> Result<Option<(StoredSession, User)>> {
        Ok(match self.find_user(&session.user_id).await? {
            Found::User(user, _) => Some((session, *user)),
            Found::Dead | Found::Missing => None,
        })
    }
}
