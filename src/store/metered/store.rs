use std::{num::NonZeroUsize, sync::Arc, task::Poll};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::Metered;
use crate::{
    clock::Timestamp,
    store::{
        Replaced, Result, Revocation, RevocationStore, SessionAndUser, SessionKey, SessionStore, Store,
        StoredSession, UserChange, UserStore, VerificationToken, VerificationTokenStore,
    },
    user::{Account, ProviderTokens, User},
};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: UserStore> UserStore for Metered<S> {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        self.timed("create_user", self.store.create_user(user, account)).await
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        self.timed("user", self.store.user(id)).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        self.timed("user_by_email", self.store.user_by_email(email)).await
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        self.timed("user_by_account", self.store.user_by_account(provider, provider_account_id)).await
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>> {
        self.timed("update_user", self.store.update_user(id, change)).await
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        self.timed("delete_user", self.store.delete_user(id)).await
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        self.timed("link_account", self.store.link_account(user_id, account)).await
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        self.timed("unlink_account", self.store.unlink_account(provider, provider_account_id)).await
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        let replaced = self.store.replace_tokens(provider, provider_account_id, before, after);
        self.timed("replace_tokens", replaced).await
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        self.timed("accounts_of", self.store.accounts_of(user_id)).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: SessionStore> SessionStore for Metered<S> {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        self.timed("create_session", self.store.create_session(session, limit)).await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        self.timed("session", self.store.session(key)).await
    }

    async fn recent_session(&self, key: &SessionKey) -> Result<Option<Arc<StoredSession>>> {
        self.timed("recent_session", self.store.recent_session(key)).await
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        self.timed("extend_session", self.store.extend_session(key, expires, seen)).await
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        self.timed("replace_session_data", self.store.replace_session_data(key, version, data)).await
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        self.timed("end_session", self.store.end_session(key)).await
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        self.timed("sessions_of", self.store.sessions_of(user_id)).await
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        self.timed("end_sessions_of", self.store.end_sessions_of(user_id, keep)).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.timed("delete_expired_sessions", self.store.delete_expired_sessions(now, limit)).await
    }

    fn keeps_data(&self) -> bool {
        self.store.keeps_data()
    }

    fn report(&self) -> Vec<String> {
        self.store.report()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: VerificationTokenStore> VerificationTokenStore for Metered<S> {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        self.timed("create_verification_token", self.store.create_verification_token(token)).await
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        self.timed("use_verification_token", self.store.use_verification_token(identifier, token)).await
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.timed(
            "delete_expired_verification_tokens",
            self.store.delete_expired_verification_tokens(now, limit),
        )
        .await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Metered<S> {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        self.timed("session_and_user", self.store.session_and_user(key)).await
    }

    fn session_and_user_now(&self, key: &SessionKey) -> Poll<Option<SessionAndUser>> {
        self.timed_now("session_and_user", || self.store.session_and_user_now(key))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: RevocationStore> RevocationStore for Metered<S> {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        self.timed("revoke", self.store.revoke(revocation)).await
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        self.timed("revocations", self.store.revocations(since)).await
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.timed("delete_expired_revocations", self.store.delete_expired_revocations(now, limit)).await
    }
}
