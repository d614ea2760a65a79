use std::sync::Arc;

use async_trait::async_trait;

use super::{Expiring, MemoryStore, lock};
use crate::{
    clock::Timestamp,
    store::{
        CODE_ATTEMPTS, LEASES, LOGOUTS, MAIL_LIMITS, Result, Revocation, RevocationStore, STATES, StoreError,
        VerificationToken, VerificationTokenStore,
    },
};

/// One-time tokens, by what it means that one is not there. Each kind has room of its own: anybody can use up as many
/// states as they like, without an account.
#[derive(Default)]
pub(super) struct Tokens {
    /// Nobody signs in with it.
    links: Kind,
    /// A provider may tell of the same logout again.
    logouts: Kind,
    /// An address may be sent one mail more.
    mails: Kind,
    /// A sign-in at a provider may be finished again.
    states: Kind,
    /// A code may be guessed once more.
    attempts: Kind,
    /// Somebody else may refresh the same tokens of a provider.
    leases: Kind,
    /// What applications, or other versions, keep here: it may be used once more.
    others: Kind,
}

type Kind = Expiring<(String, String), ()>;

impl Tokens {
    /// Those that are filed as this one is: what is mailed, under its address.
    fn of(&mut self, identifier: &str) -> &mut Kind {
        match identifier {
            LOGOUTS => &mut self.logouts,
            MAIL_LIMITS => &mut self.mails,
            STATES => &mut self.states,
            CODE_ATTEMPTS => &mut self.attempts,
            LEASES => &mut self.leases,
            _ if is_address(identifier) => &mut self.links,
            _ => &mut self.others,
        }
    }

    fn kinds(&mut self) -> [&mut Kind; 7] {
        let Self { links, logouts, mails, states, attempts, leases, others } = self;
        [links, logouts, mails, states, attempts, leases, others]
    }

    #[cfg(test)]
    pub(super) fn len(&mut self) -> usize {
        self.kinds().into_iter().map(|kind| kind.len()).sum()
    }
}

fn is_address(identifier: &str) -> bool {
    identifier.contains('@')
}

#[async_trait]
impl VerificationTokenStore for MemoryStore {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        let mut tokens = lock(&self.tokens);
        let kind = tokens.of(&token.identifier);
        let key = (token.identifier.clone(), token.token.clone());
        if kind.get(&key).is_some() {
            return Err(StoreError::conflict("there is such a token"));
        }
        if kind.len() >= self.capacity {
            if is_address(&token.identifier) {
                kind.remove_first();
            } else if kind.remove_expired(self.clock.now().into(), u32::MAX) == 0 {
                // To make room would be to let somebody use one twice.
                return Err(StoreError::unavailable(
                    "too many one-time tokens for the memory store: use another store, or limit how often one client may \
                     sign in",
                ));
            }
        }
        kind.insert(key, token.expires, ());
        Ok(())
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        let key = (identifier.to_owned(), token.to_owned());
        let taken = lock(&self.tokens).of(identifier).remove(&key);
        Ok(taken.map(|(key, expires)| {
            let (identifier, token) = Arc::unwrap_or_clone(key);
            VerificationToken { identifier, token, expires }
        }))
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let mut removed = 0;
        for kind in lock(&self.tokens).kinds() {
            let left = u64::from(limit).saturating_sub(removed);
            removed += kind.remove_expired(now, u32::try_from(left).unwrap_or(limit));
        }
        Ok(removed)
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
