//! The checks that every store has to pass: ours do, and those of others can.
//!
//! [`Conformance`] runs them against a store and answers a [`Report`]: which checks there were, which promise of
//! [the contract](super) each is about, and what was seen where one is broken. Checks that prove a row of
//! `docs/security.md` begin with its number.
//!
//! - They may run on a store that holds other data, and twice: all names are random. Only removing what has
//!   expired reaches further, namely to sessions and tokens that ended before the year 2000; so two runs on one
//!   store should not overlap.
//! - Races are run as tasks of Tokio. They find more on a runtime with several threads.
//!
//! ```
//! use portcullis::store::{MemoryStore, conformance::Conformance};
//!
//! # #[allow(clippy::needless_doctest_main)]
//! #[tokio::main] // in a test: #[tokio::test(flavor = "multi_thread")]
//! async fn main() {
//!     Conformance::of(MemoryStore::new()).run().await.assert();
//! }
//! ```

mod accounts;
mod data;
mod kit;
mod limits;
mod race;
mod report;
mod revocations;
mod sessions;
mod sweeps;
mod texts;
mod together;
mod tokens;
mod users;

use std::{pin::Pin, sync::Arc};

use self::kit::{Checked, Extent, Kit};
pub use self::{
    race::race_for_token,
    report::{Finding, Outcome, Report},
};
use super::{RevocationStore, SessionStore, Store, UserStore, VerificationTokenStore};

/// What is checked, and how much of it is there to be checked.
///
/// ```
/// # use portcullis::store::{MemoryStore, conformance::{Conformance, Outcome}};
/// # #[tokio::main]
/// # async fn main() {
/// // Tables that another program shares have no column for the data of sessions.
/// let report = Conformance::of(MemoryStore::new()).without_session_data().run().await;
/// assert!(report.is_passed());
/// assert!(report.findings().iter().any(|finding| matches!(finding.outcome, Outcome::LeftOut(_))));
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is checked before `run`"]
pub struct Conformance(Kit);

impl Conformance {
    /// Checks a store that keeps everything.
    pub fn of(store: impl Store) -> Self {
        let store: Arc<dyn Store> = Arc::new(store);
        Self(Kit {
            users: Some(store.clone()),
            sessions: Some(store.clone()),
            tokens: Some(store.clone()),
            store: Some(store),
            ..Kit::default()
        })
    }

    /// Checks a store of users only.
    pub fn of_users(store: impl UserStore) -> Self {
        Self(Kit { users: Some(Arc::new(store)), ..Kit::default() })
    }

    /// Checks a store of sessions only, whose users are somewhere else: it takes any text for the id of one.
    pub fn of_sessions(store: impl SessionStore) -> Self {
        Self(Kit { sessions: Some(Arc::new(store)), ..Kit::default() })
    }

    /// Checks a store of one-time tokens only.
    pub fn of_verification_tokens(store: impl VerificationTokenStore) -> Self {
        Self(Kit { tokens: Some(Arc::new(store)), ..Kit::default() })
    }

    /// Checks a store of revocations only.
    pub fn of_revocations(store: impl RevocationStore) -> Self {
        Self(Kit { revocations: Some(Arc::new(store)), ..Kit::default() })
    }

    /// Checks a store of revocations, too.
    pub fn and_revocations(mut self, store: impl RevocationStore) -> Self {
        self.0.revocations = Some(Arc::new(store));
        self
    }

    /// The store has no place for the `version` and the `data` of sessions.
    pub fn without_session_data(self) -> Self {
        self.with(|extent| extent.session_data = false)
    }

    /// The store has no place for `created`, `last_seen`, `address` and `user_agent` of sessions.
    pub fn without_session_details(self) -> Self {
        self.with(|extent| extent.session_details = false)
    }

    /// The store has no place for the `extra` members of users.
    pub fn without_user_extra(self) -> Self {
        self.with(|extent| extent.user_extra = false)
    }

    /// The store cannot keep two callers from making the same thing at the same moment: its tables lack the
    /// unique keys for that.
    pub fn without_unique_keys(self) -> Self {
        self.with(|extent| extent.unique_keys = false)
    }

    /// The store drops by itself what has expired, by its own clock, and does not count it.
    pub fn evicting_expired(self) -> Self {
        self.with(|extent| extent.evicts_expired = true)
    }

    fn with(mut self, change: impl FnOnce(&mut Extent)) -> Self {
        change(&mut self.0.extent);
        self
    }

    /// Runs all checks that this store is for, one after the other.
    pub async fn run(self) -> Report {
        let mut report = Report::default();
        for check in self.0.checks() {
            let outcome = match (check.run)(&self.0).await {
                Ok(()) => Outcome::Passed,
                Err(kit::Stop::LeftOut(why)) => Outcome::LeftOut(why),
                Err(kit::Stop::Broken(what)) => Outcome::Failed(what),
            };
            report.add(Finding { check: check.name, promise: check.promise, outcome });
        }
        report
    }
}

impl Kit {
    /// The checks of what there is.
    fn checks(&self) -> impl Iterator<Item = &'static Check> {
        let groups: [(bool, &'static [&'static [Check]]); 5] = [
            (self.users.is_some(), &[users::CHECKS, accounts::CHECKS]),
            (self.sessions.is_some(), &[sessions::CHECKS, data::CHECKS, limits::CHECKS, sweeps::SESSIONS]),
            (self.tokens.is_some(), &[tokens::CHECKS, sweeps::TOKENS]),
            (self.store.is_some(), &[together::CHECKS]),
            (self.revocations.is_some(), &[revocations::CHECKS]),
        ];
        groups
            .into_iter()
            .filter(|(there, _)| *there)
            .flat_map(|(_, checks)| checks.iter().copied().flatten())
    }
}

/// One check: an `async fn` that takes the kit.
struct Check {
    name: &'static str,
    /// The sentence of the contract that it holds the store to.
    promise: &'static str,
    run: for<'a> fn(&'a Kit) -> Pin<Box<dyn Future<Output = Checked> + Send + 'a>>,
}

/// A table of checks: the name of the function and the promise.
macro_rules! checks {
    ($($name:ident: $promise:literal,)+) => {
        &[$($crate::store::conformance::Check {
            name: stringify!($name),
            promise: $promise,
            run: |kit| Box::pin($name(kit)),
        },)+]
    };
}

/// Ends the check if something is not as promised.
macro_rules! ensure {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::store::conformance::kit::Stop::Broken(format!($($what)+)));
        }
    };
}

use {checks, ensure};
