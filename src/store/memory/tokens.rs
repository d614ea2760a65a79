use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, lock};
use crate::{
    clock::Timestamp,
    store::{Result, Revocation, RevocationStore, StoreError, VerificationToken, VerificationTokenStore},
};

#[async_trait]
impl VerificationTokenStore for MemoryStore {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        let mut tokens = lock(&self.tokens);
        let key = (token.identifier.clone(), token.token.clone());
        if tokens.get(&key).is_some() {
            return Err(StoreError::conflict("there is such a token"));
        }
        while tokens.len() >= self.capacity {
            tokens.remove_first();
        }
        tokens.insert(key, token.expires, ());
        Ok(())
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        let key = (identifier.to_owned(), token.to_owned());
        let taken = lock(&self.tokens).remove(&key);
        Ok(taken.map(|(key, expires)| {
            let (identifier, token) = Arc::unwrap_or_clone(key);
            VerificationToken { identifier, token, expires }
        }))
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        Ok(lock(&self.tokens).remove_expired(now, limit))
    }
}

#[async_trait]
impl RevocationStore for MemoryStore {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let mut revocations = lock(&self.revocations);
        let Revocation { subject, mut at, mut expires } = revocation.clone();
        if let Some((known_expires, known_at)) = revocations.get(&subject) {
            (at, expires) = (at.max(*known_at), expires.max(*known_expires));
        } else if revocations.len() >= self.capacity && revocations.remove_expired(at, u32::MAX) == 0 {
            // Made now, so `at` is what time it is: none of those that are there is over.
            return Err(StoreError::unavailable("too many revocations for the memory store"));
        }
        revocations.insert(subject, expires, at);
        Ok(())
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        let revocations = lock(&self.revocations);
        let made_since = revocations.iter().filter(|(_, _, at)| **at >= since);
        Ok(made_since.map(|(subject, expires, at)| Revocation::new(subject.clone(), *at, expires)).collect())
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        Ok(lock(&self.revocations).remove_expired(now, limit))
    }
}
