//! A cache in front of a store.

mod store;

use std::{
    fmt,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use quick_cache::{Weighter, sync::Cache};
use serde_json::Value;

use super::{Result, SessionAndUser, SessionKey, SessionStore, Store, StoredSession};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    user::User,
};

/// A bounded cache of sessions and their users in front of any store.
///
/// What a request asks for is answered from memory for at most `max_staleness` after the store was asked:
/// [`session_and_user`](Store::session_and_user), and [`recent_session`](super::SessionStore::recent_session) where users
/// are in another store ([`AuthBuilder::session_store`](crate::AuthBuilder::session_store)). Everything else goes to the
/// store.
///
/// - **What is written through this cache is seen at once**, also by reads that were under way. What others
///   write, such as other instances or Node, is seen after `max_staleness` at the latest: a session that was
///   ended elsewhere opens doors here for so long. So does one whose end was given up half-way, if the store
///   carries it out later.
/// - **An older answer is never given**: if the store cannot be reached by then, the error is answered.
/// - **What is not there is not kept**, so made-up cookies take no memory; each of them asks the store.
/// - **It is bounded** in sessions and in bytes, at 4 KiB for each session that it may hold.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Timestamp, User, store::{Cached, MemoryStore, SessionKey, SessionStore, Store, StoredSession, UserStore}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::store::StoreError> {
/// // In front of a store that is reached over the network.
/// let store = Cached::new(MemoryStore::new(), Duration::from_secs(5), 10_000);
///
/// let user = store.create_user(&User::new(""), None).await?;
/// let key = SessionKey::of_token("what is in the cookie");
/// let session = StoredSession::new(key.clone(), user.id, Timestamp::from_secs(1_771_070_400));
/// store.create_session(&session, None).await?;
/// assert!(store.session_and_user(&key).await?.is_some());
///
/// store.end_session(&key).await?;
/// assert!(store.session_and_user(&key).await?.is_none());
/// # Ok(())
/// # }
/// ```
pub struct Cached<S> {
    store: S,
    max_staleness: Duration,
    clock: Arc<dyn Clock>,
    cache: Cache<SessionKey, Entry, Bytes>,
    /// How often something was written, counted apart for groups of keys. A read that saw another count before
    /// it asked the store may know less than was written since, and is not kept.
    writes: [RwLock<u64>; GROUPS],
}

const GROUPS: usize = 64;

/// The bytes that a session takes in the cache at least, which bounds how many there are.
const SHARE: u64 = 4096;

#[derive(Clone)]
struct Entry {
    session: Arc<StoredSession>,
    /// `None` if the session was read alone.
    user: Option<Arc<User>>,
    /// When the store was asked for it.
    asked: Timestamp,
    bytes: u64,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<SessionKey, Entry> for Bytes {
    fn weight(&self, _: &SessionKey, entry: &Entry) -> u64 {
        entry.bytes
    }
}

impl<S> Cached<S> {
    /// Keeps what `store` answers for at most `max_staleness`, and at most `max_entries` sessions of it.
    pub fn new(store: S, max_staleness: Duration, max_entries: usize) -> Self {
        let bytes = SHARE.saturating_mul(max_entries as u64);
        Self {
            store,
            max_staleness,
            clock: Arc::new(SystemClock),
            cache: Cache::with_weighter(max_entries, bytes, Bytes),
            writes: std::array::from_fn(|_| RwLock::default()),
        }
    }

    /// Sets where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What the cache knows and may still say.
    fn fresh(&self, key: &SessionKey, now: Timestamp) -> Option<Entry> {
        let entry = self.cache.get(key)?;
        // After a step of the clock nobody knows how old it is.
        let fresh = entry.asked <= now && now.since(entry.asked) < self.max_staleness;
        fresh.then_some(entry)
    }

    fn fresh_both(&self, key: &SessionKey, now: Timestamp) -> Option<SessionAndUser> {
        let Entry { session, user, .. } = self.fresh(key, now)?;
        Some(SessionAndUser { session, user: user? })
    }

    fn group(&self, key: &SessionKey) -> &RwLock<u64> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        &self.writes[usize::try_from(hash % GROUPS as u64).unwrap_or(0)]
    }

    fn writes(&self, key: &SessionKey) -> u64 {
        *self.group(key).read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was read, unless something was written since `writes` were counted.
    fn keep(
        &self,
        key: &SessionKey,
        session: &Arc<StoredSession>,
        user: Option<&Arc<User>>,
        asked: Timestamp,
        writes: u64,
    ) {
        // Held while it is put in: a writer removes it after that.
        let count = self.group(key).read().unwrap_or_else(PoisonError::into_inner);
        if *count == writes {
            let bytes = SHARE.max(bytes_of(session, user.map(|user| &**user)));
            let entry = Entry { session: session.clone(), user: user.cloned(), asked, bytes };
            self.cache.insert(key.clone(), entry);
        }
    }

    /// To be held while a session is written. When it goes, also because the caller has gone away or the store
    /// has failed and may have written nevertheless, what is known about the session is forgotten.
    fn writing<'a>(&'a self, key: &'a SessionKey) -> impl Drop {
        Forget(move || {
            count_up(self.group(key));
            self.cache.remove(key);
        })
    }

    /// The same for several sessions: those for which `concerned` says so.
    fn writing_many<'a>(&'a self, concerned: impl Fn(&StoredSession) -> bool + 'a) -> impl Drop {
        Forget(move || {
            self.writes.iter().for_each(count_up);
            self.cache.retain(|_, entry| !concerned(&entry.session));
        })
    }

    fn writing_user<'a>(&'a self, user_id: &'a str) -> impl Drop {
        self.writing_many(move |session| session.user_id == user_id)
    }
}

impl<S: Store> Cached<S> {
    async fn read(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        let now = self.clock.now().into();
        if let Some(found) = self.fresh_both(key, now) {
            return Ok(Some(found));
        }
        let writes = self.writes(key);
        let found = self.store.session_and_user(key).await?;
        match &found {
            Some(found) => self.keep(key, &found.session, Some(&found.user), now, writes),
            None => drop(self.cache.remove(key)),
        }
        Ok(found)
    }
}

impl<S: SessionStore> Cached<S> {
    async fn read_session(&self, key: &SessionKey) -> Result<Option<Arc<StoredSession>>> {
        let now = self.clock.now().into();
        if let Some(entry) = self.fresh(key, now) {
            return Ok(Some(entry.session));
        }
        let writes = self.writes(key);
        let found = self.store.recent_session(key).await?;
        match &found {
            Some(session) => self.keep(key, session, None, now, writes),
            None => drop(self.cache.remove(key)),
        }
        Ok(found)
    }
}

struct Forget<F: Fn()>(F);

impl<F: Fn()> Drop for Forget<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn count_up(writes: &RwLock<u64>) {
    *writes.write().unwrap_or_else(PoisonError::into_inner) += 1;
}

/// About how much memory it takes.
fn bytes_of(session: &StoredSession, user: Option<&User>) -> u64 {
    let texts = [&session.address, &session.user_agent].into_iter();
    let texts = texts.chain(user.into_iter().flat_map(|user| [&user.name, &user.email, &user.image]));
    let texts: usize = texts.flatten().map(String::len).sum();
    let ids = session.key.as_str().len() + session.user_id.len() + user.map_or(0, |user| user.id.len());
    let members = session.data.iter().chain(user.into_iter().flat_map(|user| &user.extra));
    let members: usize = members.map(|(name, value)| bytes_of_member(name, value)).sum();
    (size_of::<SessionAndUser>() + 512 + texts + ids + members) as u64
}

fn bytes_of_member(name: &str, value: &Value) -> usize {
    name.len() + size_of::<String>() + 16 + bytes_of_value(value)
}

fn bytes_of_value(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(bytes_of_value).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| bytes_of_member(name, value)).sum(),
        _ => 0,
    };
    size_of::<Value>() + inner
}

/// The store behind it, and how full it is.
impl<S: fmt::Debug> fmt::Debug for Cached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("store", &self.store)
            .field("max_staleness", &self.max_staleness)
            .field("sessions", &self.cache.len())
            .finish_non_exhaustive()
    }
}
