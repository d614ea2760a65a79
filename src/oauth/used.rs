//! What was used once, so that it is not used twice: states, and the tokens with which providers tell of a logout.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    clock::Timestamp,
    store::{LOGOUTS, STATES, StoreError, StoreErrorKind, Stores, VerificationToken},
};

/// What the hash of a logout token begins with; that of a state does not.
pub(super) const LOGOUT: &str = "logout:";

/// How many of each kind are kept in memory, where there is no store: a hundred sign-ins a second for a quarter of an
/// hour. They take about 15 MB then.
const MAX_KEPT: usize = 100_000;

/// What was used: in the store, so that it holds for all instances; without one in this process.
#[derive(Debug, Default)]
pub(crate) struct UsedStates {
    states: Mutex<Kept>,
    /// Apart: those who begin sign-ins by the thousand keep no provider from ending a session.
    logouts: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    hashes: HashSet<Arc<str>>,
    /// The same, by when they may be forgotten.
    ends: BTreeSet<(Timestamp, Arc<str>)>,
}

impl UsedStates {
    /// Uses one up, by its hash. `false` if somebody has used it before, or nobody could tell later that it was used.
    pub(crate) async fn take(
        &self,
        stores: Option<&Stores>,
        hash: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(stores) = stores else {
            return Ok(self.kept(hash).take(hash, end, now));
        };
        let row = VerificationToken::new(identifier(hash), hash, end);
        match stores.ask(stores.tokens.create_verification_token(&row)).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives back what was taken for something that then failed, so that it can be tried again.
    pub(crate) async fn give_back(&self, stores: Option<&Stores>, hash: &str) {
        let Some(stores) = stores else {
            return self.kept(hash).give_back(hash);
        };
        let _ = stores.ask(stores.tokens.use_verification_token(identifier(hash), hash)).await;
    }

    /// Those among which this one is kept in memory.
    fn kept(&self, hash: &str) -> MutexGuard<'_, Kept> {
        let kept = if hash.starts_with(LOGOUT) { &self.logouts } else { &self.states };
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What it is filed under among the one-time tokens of a store.
fn identifier(hash: &str) -> &'static str {
    if hash.starts_with(LOGOUT) { LOGOUTS } else { STATES }
}

impl Kept {
    fn give_back(&mut self, hash: &str) {
        if self.hashes.remove(hash) {
            self.ends.retain(|(_, kept)| **kept != *hash);
        }
    }

    fn take(&mut self, hash: &str, end: Timestamp, now: Timestamp) -> bool {
        while self.ends.first().is_some_and(|(end, _)| *end < now) {
            if let Some((_, hash)) = self.ends.pop_first() {
                self.hashes.remove(&hash);
            }
        }
        if self.hashes.contains(hash) {
            return false;
        }
        if self.hashes.len() >= MAX_KEPT {
            // To make room would be to let somebody use one twice.
            tracing::error!(
                "{MAX_KEPT} states were used within a quarter of an hour, and no more can be kept in memory, so this one \
                 is refused: add `.store(..)`, or limit how often one client may sign in"
            );
            return false;
        }
        let hash: Arc<str> = hash.into();
        self.ends.insert((end, Arc::clone(&hash)));
        self.hashes.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// S30: nobody makes this forget a state by using many others, and one that has ended makes room.
    #[tokio::test]
    async fn s30_what_was_used_stays_used_when_memory_is_full() {
        let used = UsedStates::default();
        let take = async |hash: &str, end, now| used.take(None, hash, at(end), at(now)).await.unwrap();
        assert!(take("first", 900, 0).await);
        for state in 2..=MAX_KEPT {
            assert!(take(&state.to_string(), 1000, 0).await, "{state}");
        }
        assert!(!take("one more", 1000, 0).await, "there is no room");
        assert!(!take("first", 900, 0).await, "used");
        assert!(take("logout:1", 240, 0).await, "a logout token has room of its own");
        assert!(!take("logout:1", 240, 0).await, "used");
        assert!(!take("one more", 1000, 900).await, "the first one is still good");
        assert!(take("one more", 1000, 901).await, "it has ended");
        assert!(!take("one more", 1000, 901).await, "used");
        assert!(!take("2", 1000, 1000).await, "used");
        assert!(take("all over", 2000, 1001).await);
        let kept = used.states.lock().unwrap();
        assert_eq!((kept.hashes.len(), kept.ends.len()), (1, 1));
    }

    /// What ends first goes first, in whatever order they were used.
    #[tokio::test]
    async fn one_that_lasts_keeps_no_other() {
        let used = UsedStates::default();
        for (hash, end) in [("long", 900), ("short", 100)] {
            assert!(used.take(None, hash, at(end), at(0)).await.unwrap());
        }
        assert!(!used.take(None, "long", at(900), at(101)).await.unwrap());
        assert_eq!(used.states.lock().unwrap().hashes.len(), 1);
    }
}
