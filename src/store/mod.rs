//! Where users and sessions are kept.
//!
//! Three ports, each a dyn-safe trait: [`UserStore`] for users and the accounts that they sign in with,
//! [`SessionStore`] for sessions, [`VerificationTokenStore`] for one-time tokens. A [`Store`] is all three;
//! [`RevocationStore`] is for sessions that live in tokens. Sessions may be in one store and users in another
//! ([`AuthBuilder::session_store`](crate::AuthBuilder::session_store)). What a store must do stands on each
//! method; the feature `conformance` checks it.
//!
//! | store | feature | for |
//! |---|---|---|
//! | [`MemoryStore`] | | tests, and one process that may forget |
//! | `SqliteStore` | `sqlite` | one machine, one file |
//! | `PostgresStore` | `postgres` | several instances; the tables of an Auth.js site |
//! | `MySqlStore` | `mysql` | MySQL and MariaDB |
//! | `RedisStore` | `redis` | single or cluster; the keys of the Upstash adapter |
//! | `Cached` | `cache` | in front of any of them: fewer reads, with a stated staleness |
//! | `Metered` | `metrics` | around any of them: how often, how long, how many errors |
//!
//! # What holds for all of them
//!
//! - **A missing row is no error**: `None`, `false`, `0`.
//! - **Expiry is judged by the caller.** A store may drop what has expired, and must not rely on it: an expired
//!   row that is still there is answered like any other. Times keep milliseconds.
//! - **Each method is atomic**: it has happened or it has not, also when its future is dropped half-way.
//! - **Nothing comes back.** No method but `create_session` makes a session, and it makes only one that is not
//!   there.
//! - **Texts are compared exactly**, by case and by code point. Keys, ids and addresses may hold anything: a
//!   store binds or encodes them.
//! - **Faults are [`Unavailable`](StoreErrorKind::Unavailable)** and end by themselves: a store connects again
//!   without being restarted. The caller gives each call a time limit.

#[cfg(feature = "cache")]
mod cached;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
mod error;
mod memory;
#[cfg(feature = "metrics")]
mod metered;
mod model;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod shared;
#[cfg(feature = "_sql")]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stores;

use std::{fmt, num::NonZeroUsize, sync::Arc, task::Poll};

use async_trait::async_trait;
use serde_json::{Map, Value};

#[cfg(feature = "cache")]
pub use self::cached::Cached;
#[cfg(feature = "metrics")]
pub use self::metered::Metered;
#[cfg(feature = "mysql")]
pub use self::mysql::MySqlStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, UpstashKeys};
#[cfg(feature = "_sql")]
pub use self::sql::{SqlOptions, Tables};
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
pub use self::{
    connect::connect,
    error::{StoreError, StoreErrorKind},
    memory::MemoryStore,
    model::{
        Replaced, Revocation, Revoked, SessionAndUser, SessionKey, StoredSession, UserChange,
        VerificationToken,
    },
};
pub(crate) use self::{
    model::{CODE_ATTEMPTS, LEASES, LOGOUTS, MAIL_LIMITS, STATES},
    stores::{Stores, ask},
};
use crate::{
    clock::Timestamp,
    user::{Account, ProviderTokens, User},
};

/// What the methods of stores answer.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Users, and the accounts with which they sign in.
#[async_trait]
pub trait UserStore: fmt::Debug + Send + Sync + 'static {
    /// Makes a user, with the account they signed in with first, if any: both or neither. The store makes the
    /// id and ignores the given one; it answers the user as it is stored.
    ///
    /// # Errors
    ///
    /// [`Conflict`](StoreErrorKind::Conflict) if a user has this e-mail address, or somebody this account. Of
    /// several that are at it at once, one succeeds.
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User>;

    /// The user with this id. An id that this store could not have made is nobody's.
    async fn user(&self, id: &str) -> Result<Option<User>>;

    /// The user with this e-mail address.
    async fn user_by_email(&self, email: &str) -> Result<Option<User>>;

    /// The user who signs in with this account.
    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>>;

    /// Changes a user, and answers them as they are stored then; `None` if there is none, or the change is for another
    /// e-mail address than they have at that moment ([`UserChange::if_email`]): nothing changes then. What is not
    /// changed keeps the value that it has at that moment, whoever else is writing; but when an address was proved goes
    /// in the same write in which another address comes, unless the change says when that one was.
    ///
    /// # Errors
    ///
    /// [`Conflict`](StoreErrorKind::Conflict) if another user has the new e-mail address.
    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>>;

    /// Removes a user with their accounts, and with their sessions where this store keeps them. Says whether
    /// there was one.
    async fn delete_user(&self, id: &str) -> Result<bool>;

    /// Lets a user sign in with one more account.
    ///
    /// # Errors
    ///
    /// [`Conflict`](StoreErrorKind::Conflict) if somebody has this account, or there is no such user.
    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()>;

    /// Takes an account from its user. Says whether there was one.
    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool>;

    /// Replaces what the provider of an account gave (all but `extra`, which is not kept), in one write that happens
    /// only if the account is there and its access token and refresh token still are those of `before`. Says whether
    /// it was made.
    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool>;

    /// The accounts of a user, those that were linked first in front.
    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>>;
}

/// Sessions.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Makes a session. With a `limit`, those of its user that were begun first are ended until so many are
    /// left, this one among them; at most `limit` are there once the last of several calls is done.
    ///
    /// # Errors
    ///
    /// [`Conflict`](StoreErrorKind::Conflict) if there is a session with this key.
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()>;

    /// The session with this key, as it is now: what is written next may depend on it.
    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>>;

    /// The session with this key, for a request that only asks who is there. It is what `session` answers, unless this is
    /// a cache: then it may be as old as the cache says.
    async fn recent_session(&self, key: &SessionKey) -> Result<Option<Arc<StoredSession>>> {
        Ok(self.session(key).await?.map(Arc::new))
    }

    /// Moves the end of a session to `expires`, and says that it was seen at `seen`: in one write that happens
    /// only if the session is there and ends earlier. Says whether it was made.
    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool>;

    /// Replaces the data of a session and counts its version up, in one write that happens only if the session
    /// is there with this `version`.
    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced>;

    /// Ends a session. Says whether there was one.
    async fn end_session(&self, key: &SessionKey) -> Result<bool>;

    /// The sessions of a user, expired ones among them, those that were begun first in front.
    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>>;

    /// Ends the sessions of a user, all but `keep`. Says how many.
    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64>;

    /// Removes at most `limit` sessions that have ended at `now`, in one go that holds nobody up for long. Says
    /// how many; several instances may be at it at once.
    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64>;

    /// Whether what [`StoredSession::data`] holds is kept. Tables that others have made may have no place for it:
    /// `OAuth::federated_logout` then works in part only, which `build()` warns of.
    fn keeps_data(&self) -> bool {
        true
    }

    /// What its operator should know: what is missing in the tables, and what that costs; about users and tokens as
    /// well, where it keeps them. Empty if nothing is.
    fn report(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One-time tokens.
#[async_trait]
pub trait VerificationTokenStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps a token.
    ///
    /// # Errors
    ///
    /// [`Conflict`](StoreErrorKind::Conflict) if it is there.
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()>;

    /// Takes a token out and answers it, expired or not: of any number of callers, in any number of processes,
    /// one gets it.
    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>>;

    /// Removes at most `limit` tokens that are over at `now`. Says how many.
    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64>;
}

/// Everything in one place.
#[async_trait]
pub trait Store: UserStore + SessionStore + VerificationTokenStore {
    /// A session and its user; `None` if either is missing. In one round trip where the store can do that.
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>>;

    /// The same, if the store knows it now, as one in memory does: a request of such a store waits for nothing, and
    /// makes no future. [`Poll::Pending`] is what all others say, and means that
    /// [`session_and_user`](Self::session_and_user) is to be asked; a fault is said there, too.
    fn session_and_user_now(&self, _: &SessionKey) -> Poll<Option<SessionAndUser>> {
        Poll::Pending
    }
}

/// What the JWT strategy needs to end sessions that live in tokens.
#[async_trait]
pub trait RevocationStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps a revocation. Of two about the same subject the later one counts, and the later end of both.
    async fn revoke(&self, revocation: &Revocation) -> Result<()>;

    /// All that were made at `since` or later, in no order.
    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>>;

    /// Removes at most `limit` that nobody needs to know at `now`. Says how many.
    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64>;
}
