//! States that were used, so that none is used twice.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::{
    clock::Timestamp,
    store::{StoreError, StoreErrorKind, Stores, VerificationToken},
};

/// What the states are filed under among the one-time tokens of a store.
const IDENTIFIER: &str = "oauth-state";

/// How many are kept in memory, where there is no store.
const MAX_KEPT: usize = 10_000;

/// The states that were used: in the store, so that it holds for all instances; without one in this process.
#[derive(Debug, Default)]
pub(crate) struct UsedStates {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    hashes: HashSet<String>,
    ends: VecDeque<(Timestamp, String)>,
}

impl UsedStates {
    /// Uses a state up, by its hash. `false` if somebody has used it before.
    pub(crate) async fn take(
        &self,
        stores: Option<&Stores>,
        hash: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(stores) = stores else { return Ok(self.keep(hash, end, now)) };
        let row = VerificationToken::new(IDENTIFIER, hash, end);
        match stores.ask(stores.tokens.create_verification_token(&row)).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn keep(&self, hash: &str, end: Timestamp, now: Timestamp) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        while kept.ends.len() >= MAX_KEPT || kept.ends.front().is_some_and(|(end, _)| *end < now) {
            let Some((_, hash)) = kept.ends.pop_front() else { break };
            kept.hashes.remove(&hash);
        }
        let is_new = kept.hashes.insert(hash.to_owned());
        if is_new {
            kept.ends.push_back((end, hash.to_owned()));
        }
        is_new
    }
}
