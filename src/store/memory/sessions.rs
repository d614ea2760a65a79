use std::{num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::MemoryStore;
use crate::{
    clock::Timestamp,
    store::{Replaced, Result, SessionKey, SessionStore, StoredSession},
};

/// So many are removed in one go; then others have a turn.
const BATCH: u32 = 256;

#[async_trait]
impl SessionStore for MemoryStore {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        self.write().add_session(session, limit)
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        let session = self.sessions.read(key, |kept| kept.session.clone());
        Ok(session.map(Arc::unwrap_or_clone))
    }

    async fn recent_session(&self, key: &SessionKey) -> Result<Option<Arc<StoredSession>>> {
        Ok(self.sessions.read(key, |kept| kept.session.clone()))
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        let extended = self.write().change_session(key, |session| {
            let earlier = session.expires < expires;
            if earlier {
                let session = Arc::make_mut(session);
                (session.expires, session.last_seen) = (expires, Some(seen));
            }
            earlier
        });
        Ok(extended.unwrap_or(false))
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        let replaced = self.write().change_session(key, |session| {
            if session.version != version {
                return Replaced::Stale;
            }
            let session = Arc::make_mut(session);
            session.version += 1;
            session.data.clone_from(data);
            Replaced::Done
        });
        Ok(replaced.unwrap_or(Replaced::Missing))
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        Ok(self.write().end_session(key))
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        let write = self.write();
        let kept =
            write.sessions_of(user_id).filter_map(|key| self.sessions.read(key, |kept| kept.session.clone()));
        let sessions: Vec<_> = kept.collect();
        drop(write);
        Ok(sessions.into_iter().map(Arc::unwrap_or_clone).collect())
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        Ok(self.write().end_sessions_of(user_id, keep))
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let (mut ended, mut left) = (0, limit);
        while left > 0 {
            let batch = left.min(BATCH);
            let of_batch = self.write().end_expired(now, batch);
            ended += of_batch;
            left -= batch;
            if of_batch < u64::from(batch) {
                break;
            }
        }
        Ok(ended)
    }
}
