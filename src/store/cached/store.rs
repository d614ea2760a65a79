use std::{num::NonZeroUsize, sync::Arc, task::Poll};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::Cached;
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
impl<S: UserStore> UserStore for Cached<S> {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        self.store.create_user(user, account).await
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        self.store.user(id).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        self.store.user_by_email(email).await
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        self.store.user_by_account(provider, provider_account_id).await
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>> {
        let _forget = self.writing_user(id);
        self.store.update_user(id, change).await
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        let _forget = self.writing_user(id);
        self.store.delete_user(id).await
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        self.store.link_account(user_id, account).await
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        self.store.unlink_account(provider, provider_account_id).await
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        self.store.replace_tokens(provider, provider_account_id, before, after).await
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        self.store.accounts_of(user_id).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: SessionStore> SessionStore for Cached<S> {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        // With a limit, others of the user end.
        let _forget = limit.map(|_| self.writing_user(&session.user_id));
        self.store.create_session(session, limit).await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        self.store.session(key).await
    }

    async fn recent_session(&self, key: &SessionKey) -> Result<Option<Arc<StoredSession>>> {
        self.read_session(key).await
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        let _forget = self.writing(key);
        self.store.extend_session(key, expires, seen).await
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        let _forget = self.writing(key);
        self.store.replace_session_data(key, version, data).await
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        let _forget = self.writing(key);
        self.store.end_session(key).await
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        self.store.sessions_of(user_id).await
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        let _forget = self.writing_user(user_id);
        self.store.end_sessions_of(user_id, keep).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let _forget = self.writing_many(move |session| session.expires <= now);
        self.store.delete_expired_sessions(now, limit).await
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
impl<S: VerificationTokenStore> VerificationTokenStore for Cached<S> {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        self.store.create_verification_token(token).await
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        self.store.use_verification_token(identifier, token).await
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.store.delete_expired_verification_tokens(now, limit).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Cached<S> {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        self.read(key).await
    }

    fn session_and_user_now(&self, key: &SessionKey) -> Poll<Option<SessionAndUser>> {
        self.fresh_both(key, self.clock.now().into()).map_or(Poll::Pending, |found| Poll::Ready(Some(found)))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: RevocationStore> RevocationStore for Cached<S> {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        self.store.revoke(revocation).await
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        self.store.revocations(since).await
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.store.delete_expired_revocations(now, limit).await
    }
}
