//! Users and sessions in the memory of one process.

mod expiring;
mod sessions;
mod shards;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
mod write;

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use async_trait::async_trait;

use self::{
    expiring::Expiring,
    shards::Shards,
    tokens::Tokens,
    write::{Books, Kept, Write},
};
use super::{Result, Revoked, SessionAndUser, SessionKey, Store};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    user::User,
};

/// Keeps everything in the memory of this process: for tests, and for one process that may forget.
///
/// It forgets everything when the process ends, and before that when it is full, so that no flood of sign-ins
/// takes all memory. It holds [`capacity`](Self::with_capacity) sessions, and as many users, one-time tokens of each
/// kind and revocations. Reading takes two read locks and copies no text; each write is one step that no other write
/// comes between.
///
/// What goes when it is full:
///
/// - **Sessions and mailed links**: those that end soonest, which are the expired ones as long as there are
///   any. Their users have to sign in again, or to ask for another link.
/// - **All other one-time tokens**, which say what was used (states, attempts at codes, logouts that providers told of, the
///   right to refresh a provider's tokens): only expired ones, by the [`clock`](Self::clock). If there are none,
///   [`create_verification_token`](super::VerificationTokenStore::create_verification_token) answers
///   [`Unavailable`](super::StoreErrorKind::Unavailable): what was forgotten could be used once more. Each of these kinds
///   has room of its own. Anybody can use up states, so a flood of sign-ins that nobody finishes keeps others from signing in
///   at providers for a while, and from nothing else.
/// - **Users**: those who have been without a session for longest, with their accounts. Who signs in again is a
///   new user then, with a new id. A store that keeps users for good is another one.
/// - **Revocations**: only those that nobody needs any more. If there are none,
///   [`revoke`](super::RevocationStore::revoke) answers
///   [`Unavailable`](super::StoreErrorKind::Unavailable): one that was forgotten would bring a session back.
///
/// ```
/// use portcullis::{Account, Timestamp, User, store::{MemoryStore, SessionKey, SessionStore, Store, StoredSession, UserStore}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::store::StoreError> {
/// let store = MemoryStore::new();
/// let user = User::new("").email("jsmith@example.com");
/// let user = store.create_user(&user, Some(&Account::new("oauth", "github", "583231"))).await?;
///
/// let key = SessionKey::of_token("what is in the cookie");
/// let session = StoredSession::new(key.clone(), &user.id, Timestamp::from_secs(1_771_070_400));
/// store.create_session(&session, None).await?;
/// let found = store.session_and_user(&key).await?;
/// assert_eq!(found.map(|found| found.user.id.clone()), Some(user.id.clone()));
///
/// store.delete_user(&user.id).await?;
/// assert!(store.session_and_user(&key).await?.is_none());
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    capacity: usize,
    sessions: Shards<SessionKey, Kept>,
    users: Shards<Arc<str>, Arc<User>>,
    /// What writers know besides. Whoever changes sessions or users holds it; a shard is locked after it.
    books: Mutex<Books>,
    tokens: Mutex<Tokens>,
    revocations: Mutex<Expiring<Revoked, Timestamp>>,
    clock: Arc<dyn Clock>,
}

/// At a few hundred bytes each, some ten megabytes.
const CAPACITY: usize = 100_000;

impl MemoryStore {
    /// An empty store for at most 100,000 sessions, and as many users.
    pub fn new() -> Self {
        Self::holding(CAPACITY)
    }

    /// An empty store for at most `sessions` sessions, and as many users. It takes the memory for them as they
    /// come.
    pub fn with_capacity(sessions: NonZeroUsize) -> Self {
        Self::holding(sessions.get())
    }

    fn holding(capacity: usize) -> Self {
        Self {
            capacity,
            sessions: Shards::default(),
            users: Shards::default(),
            books: Mutex::default(),
            tokens: Mutex::default(),
            revocations: Mutex::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Another clock than the system's, by which it is known what has expired when there is no more room: that of the
    /// application, if it has [one of its own](crate::AuthBuilder::clock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn find(&self, key: &SessionKey) -> Option<SessionAndUser> {
        let session = self.sessions.read(key, |kept| kept.session.clone())?;
        let user = self.users.read(session.user_id.as_str(), Arc::clone)?;
        Some(SessionAndUser { session, user })
    }

    fn write(&self) -> Write<'_> {
        Write {
            capacity: self.capacity,
            sessions: &self.sessions,
            users: &self.users,
            books: lock(&self.books),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        Ok(self.find(key))
    }

    fn session_and_user_now(&self, key: &SessionKey) -> Poll<Option<SessionAndUser>> {
        Poll::Ready(self.find(key))
    }
}

/// How full it is.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("capacity", &self.capacity)
            .field("sessions", &self.sessions.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}

/// A panic of another thread leaves nothing half-written that matters more than going on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
