use std::{num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    SqlStore,
    backend::Backend,
    connection::again,
    fault::{Fault, Outcome},
    statement::{Arg, Row},
    transaction::Transaction,
    users::{members_of, nobody_if_unstorable, none_if_unstorable, text_of, usable, user_of},
};
use crate::{
    clock::Timestamp,
    store::{Replaced, Result, SessionAndUser, SessionKey, SessionStore, Store, StoredSession},
};

#[async_trait]
impl<B: Backend> SessionStore for SqlStore<B> {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        Ok(again!(self.try_create_session(session, limit))?)
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        let found = async {
            let rows = self.read(self.sessions.by_key.get()?, &[key.as_str().into()]).await?;
            rows.into_iter().next().map(|mut row| session_of(&mut row)).transpose()
        };
        nobody_if_unstorable(found.await)
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        let args = [key.as_str().into(), expires.into(), seen.into()];
        let done = again!(async { self.write(self.sessions.extend.get()?, &args).await });
        Ok(none_if_unstorable(done)? > 0)
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        let data = text_of(data);
        let args = [key.as_str().into(), number(version).into(), Arg::from(&data)];
        let done = again!(async { self.write(self.sessions.replace.get()?, &args).await });
        Ok(match none_if_unstorable(done)? {
            0 if self.session(key).await?.is_some() => Replaced::Stale,
            0 => Replaced::Missing,
            _ => Replaced::Done,
        })
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        let done = again!(async { self.write(self.sessions.delete.get()?, &[key.as_str().into()]).await });
        Ok(none_if_unstorable(done)? > 0)
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        let found = async {
            let id = usable(&self.layout.sessions)?.id("userId", user_id)?;
            in_order(self.read(self.sessions.of_user.get()?, &[id]).await?)
        };
        none_if_unstorable(found.await)
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        let end = || async {
            let id = usable(&self.layout.sessions)?.id("userId", user_id)?;
            match keep {
                None => self.write(self.sessions.delete_of_user.get()?, &[id]).await,
                Some(keep) => {
                    self.write(self.sessions.delete_others.get()?, &[id, keep.as_str().into()]).await
                }
            }
        };
        none_if_unstorable(again!(end()))
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let args = [now.into(), i64::from(limit).into()];
        Ok(again!(async { self.write(self.sessions.delete_expired.get()?, &args).await })?)
    }

    fn keeps_data(&self) -> bool {
        self.layout.sessions.as_ref().is_ok_and(|sessions| sessions.has("data"))
    }

    fn report(&self) -> Vec<String> {
        self.report()
    }
}

#[async_trait]
impl<B: Backend> Store for SqlStore<B> {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        let found = async {
            let rows = self.read(self.sessions.with_user.get()?, &[key.as_str().into()]).await?;
            let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
            let session = Arc::new(session_of(&mut row)?);
            Ok(Some(SessionAndUser { session, user: Arc::new(user_of(&mut row)?) }))
        };
        nobody_if_unstorable(found.await)
    }
}

impl<B: Backend> SqlStore<B> {
    async fn try_create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Outcome<()> {
        let sessions = usable(&self.layout.sessions)?;
        let user_id = sessions.id("userId", &session.user_id)?;
        let (made, data) = (sessions.new_id(), text_of(&session.data));
        let args = [
            Arg::from(session.key.as_str()),
            user_id,
            Arg::from(session.expires),
            Arg::from(session.created),
            Arg::from(session.last_seen),
            Arg::from(&session.address),
            Arg::from(&session.user_agent),
            Arg::from(number(session.version)),
            Arg::from(&data),
            Arg::from(&made),
        ];
        let insert = self.sessions.insert.get()?;
        if limit.is_none() && self.sessions.is_checked {
            return self.write(insert, &args).await.map(drop);
        }
        let mut transaction = self.begin().await?;
        if self.layout.users.is_ok() {
            self.expect_user(&mut transaction, &session.user_id).await?;
        }
        if !sessions.is_unique(&["sessionToken"]) {
            let key = session.key.as_str();
            transaction.hold([&sessions.name, "sessionToken", key]).await?;
            if !transaction.rows(self.sessions.lock.get()?, &[key.into()]).await?.is_empty() {
                return Err(Fault::Taken("there is a session with this key"));
            }
        }
        transaction.run(insert, &args).await?;
        if let Some(limit) = limit {
            self.end_oldest(&mut transaction, user_id, &session.key, limit).await?;
        }
        transaction.commit().await
    }

    /// Ends those sessions of a user that were begun first, other than `newest`, until `limit` are left.
    async fn end_oldest(
        &self,
        transaction: &mut Transaction<B>,
        user_id: Arg<'_>,
        newest: &SessionKey,
        limit: NonZeroUsize,
    ) -> Outcome<()> {
        let mut others = in_order(transaction.rows(self.sessions.of_user.get()?, &[user_id]).await?)?;
        others.retain(|session| session.key != *newest);
        let surplus = (others.len() + 1).saturating_sub(limit.get());
        for session in &others[..surplus] {
            transaction.run(self.sessions.delete.get()?, &[session.key.as_str().into()]).await?;
        }
        Ok(())
    }
}

/// Those that were begun first in front, and before them those of which that is not known.
fn in_order(rows: Vec<Row>) -> Outcome<Vec<StoredSession>> {
    let mut sessions: Vec<_> =
        rows.into_iter().map(|mut row| session_of(&mut row)).collect::<Outcome<_>>()?;
    sessions.sort_by_key(|session| session.created);
    Ok(sessions)
}

fn session_of(row: &mut Row) -> Outcome<StoredSession> {
    let key = SessionKey::new(row.needed_text("key of a session")?);
    let user_id = row.needed_text("user of a session")?;
    let expires = row.time().ok_or(Fault::Unreadable("end of a session"))?;
    let mut session = StoredSession::new(key, user_id, expires);
    session.created = row.time();
    session.last_seen = row.time();
    session.address = row.text();
    session.user_agent = row.text();
    session.version = row.integer().and_then(|version| u64::try_from(version).ok()).unwrap_or_default();
    session.data = members_of(row.text())?;
    Ok(session)
}

fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
