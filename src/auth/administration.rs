//! What the site itself does about users and their sessions.

use super::{Auth, SessionInfo};
use crate::{
    clock::Timestamp,
    error::{SessionError, SessionErrorKind},
    session::unstored_user,
    store::{Revocation, Revoked, SessionKey, StoreError},
};

/// For who runs the site, and for its own jobs: nothing here asks who is signed in. `user_id` is what
/// [`Session::subject`](crate::Session::subject) says: with a store its id, which is not the one that `authorize` gave.
impl Auth {
    /// The sessions of a user that have not ended, those that were begun first in front. Empty where sessions
    /// live in tokens.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn sessions_of(&self, user_id: &str) -> Result<Vec<SessionInfo>, SessionError> {
        Ok(self.list(user_id, None).await?)
    }

    pub(super) async fn list(
        &self,
        user_id: &str,
        current: Option<&SessionKey>,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        let Some(rows) = self.settings.strategy.rows() else { return Ok(Vec::new()) };
        let now = self.now();
        let all = rows.of_user(user_id).await?;
        let live = all.into_iter().filter(|row| row.expires > now);
        Ok(live.map(|row| SessionInfo::of(row, current)).collect())
    }

    /// Ends one session of a user, by its [handle](SessionInfo::handle). Says whether this user had such a session.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn end_session(&self, user_id: &str, handle: &str) -> Result<bool, SessionError> {
        let Some(rows) = self.settings.strategy.rows() else { return Ok(false) };
        let all = rows.of_user(user_id).await?;
        match all.iter().find(|row| row.key.handle() == handle) {
            Some(row) => Ok(rows.end(&row.key).await?),
            None => Ok(false),
        }
    }

    /// Ends all sessions of a user: at once in a store, and within the staleness of the
    /// [`RevocationPolicy`](crate::RevocationPolicy) where they live in tokens. There, with users in a store, whoever
    /// signed in with a password by the same id is meant, too.
    ///
    /// # Errors
    ///
    /// When the store failed, or sessions live in tokens and nothing keeps revocations.
    pub async fn end_sessions_of(&self, user_id: &str) -> Result<(), SessionError> {
        match self.settings.strategy.rows() {
            Some(rows) => Ok(rows.end_of_user(user_id, None).await?),
            None => self.revoke_all_of(user_id).await,
        }
    }

    /// Ends the tokens of a user, in the store or not: by an id alone it cannot be told which of them is meant.
    async fn revoke_all_of(&self, user_id: &str) -> Result<(), SessionError> {
        let now = self.now();
        self.revoke_user(user_id, now).await?;
        self.revoke_user(&unstored_user(user_id), now).await.map(drop)
    }

    /// Ends every token of the user of this name (`user_name`) that was made until now, and answers a time that counts
    /// as later.
    pub(super) async fn revoke_user(&self, name: &str, now: Timestamp) -> Result<Timestamp, SessionError> {
        let strategy = &self.settings.strategy;
        let Some(revocations) = strategy.revocations() else {
            tracing::error!(
                "tokens cannot be ended here: add `.revocation(..)` to the Auth, or `.store(..)`"
            );
            return Err(SessionError::new(SessionErrorKind::NoStore));
        };
        // After a sign-in that came after the last time that all were ended, in the same second.
        let at = revocations.beginning(name, now);
        let revoked = Revoked::User(name.to_owned());
        revocations.revoke(&Revocation::new(revoked, at, strategy.last_end(at))).await?;
        Ok(revocations.beginning(name, now))
    }

    /// Removes a user with their accounts, and ends their sessions. Says whether there was one. Sessions that live in
    /// tokens end where revocations are kept; otherwise they go on until they expire, which is logged.
    ///
    /// # Errors
    ///
    /// When a store failed, or there is none. What was done until then stays done; do it again.
    pub async fn delete_user(&self, user_id: &str) -> Result<bool, SessionError> {
        let Some(stores) = &self.settings.stores else {
            tracing::error!("there is no store for users: add `.store(..)` to the Auth");
            return Err(SessionError::new(SessionErrorKind::NoStore));
        };
        // The user first: without them no session counts, whatever happens to the rest.
        let deleted = stores.ask(stores.users.delete_user(user_id)).await?;
        stores.ask(stores.sessions.end_sessions_of(user_id, None)).await?;
        if self.settings.strategy.revocations().is_some() {
            self.revoke_all_of(user_id).await?;
        } else if self.settings.strategy.rows().is_none() {
            tracing::warn!("a user was removed whose tokens go on until they expire: add `.revocation(..)`");
        }
        Ok(deleted)
    }
}
