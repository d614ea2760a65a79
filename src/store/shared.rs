//! A store behind an [`Arc`] is a store.

use std::{num::NonZeroUsize, sync::Arc, task::Poll};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    Replaced, Result, Revocation, RevocationStore, SessionAndUser, SessionKey, SessionStore, Store,
    StoredSession, UserChange, UserStore, VerificationToken, VerificationTokenStore,
};
use crate::{
    clock::Timestamp,
    user::{Account, ProviderTokens, User},
};

#[async_trait]
impl<S: UserStore + ?Sized> UserStore for Arc<S> {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        (**self).create_user(user, account).await
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        (**self).user(id).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        (**self).user_by_email(email).await
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        (**self).user_by_account(provider, provider_account_id).await
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>> {
        (**self).update_user(id, change).await
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        (**self).delete_user(id).await
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        (**self).link_account(user_id, account).await
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        (**self).unlink_account(provider, provider_account_id).await
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        (**self).replace_tokens(provider, provider_account_id, before, after).await
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        (**self).accounts_of(user_id).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        (**self).create_session(session, limit).await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        (**self).session(key).await
    }

    async fn recent_session(&self, key: &SessionKey) -> Result<Option<Arc<StoredSession>>> {
        (**self).recent_session(key).await
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        (**self).extend_session(key, expires, seen).await
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        (**self).replace_session_data(key, version, data).await
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        (**self).end_session(key).await
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        (**self).sessions_of(user_id).await
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        (**self).end_sessions_of(user_id, keep).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        (**self).delete_expired_sessions(now, limit).await
    }

    fn keeps_data(&self) -> bool {
        (**self).keeps_data()
    }

    fn report(&self) -> Vec<String> {
        (**self).report()
    }
}

#[async_trait]
impl<S: VerificationTokenStore + ?Sized> VerificationTokenStore for Arc<S> {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        (**self).create_verification_token(token).await
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        (**self).use_verification_token(identifier, token).await
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        (**self).delete_expired_verification_tokens(now, limit).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        (**self).session_and_user(key).await
    }

    fn session_and_user_now(&self, key: &SessionKey) -> Poll<Option<SessionAndUser>> {
        (**self).session_and_user_now(key)
    }
}

#[async_trait]
impl<S: RevocationStore + ?Sized> RevocationStore for Arc<S> {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        (**self).revoke(revocation).await
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        (**self).revocations(since).await
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        (**self).delete_expired_revocations(now, limit).await
    }
}
