//! Redis and Valkey: one server, or a cluster.

mod address;
mod claim;
mod cluster;
mod index;
mod layout;
mod link;
mod record;
mod revocations;
mod script;
mod sessions;
mod tokens;
mod users;

use std::fmt;

use ::redis::{aio::ConnectionManager, cluster_async::ClusterConnection};
use async_trait::async_trait;

pub use self::layout::UpstashKeys;
use self::{address::Address, cluster::Cluster, layout::Keys, link::Link};
use super::{Result, SessionAndUser, SessionKey, Store, StoreError};
use crate::clock::Timestamp;

/// Users and sessions in Redis 6.2 or newer, or Valkey.
///
/// ```no_run
/// use portcullis::store::RedisStore;
///
/// # async fn connect() -> portcullis::store::Result<()> {
/// let store = RedisStore::connect("redis://127.0.0.1:6379/0").await?;
/// // Clones share the connection; each tenant has a namespace of its own.
/// let (ours, theirs) = (store.clone().namespace("ours"), store.namespace("theirs"));
/// # let _ = (ours, theirs);
/// # Ok(())
/// # }
/// ```
///
/// # What it keeps
///
/// Values are JSON. Keys begin with the [`namespace`](Self::namespace), and whatever of a key is not ours to
/// choose (ids, addresses, providers) is percent-encoded in it, so no id leads to the key of another. A session
/// lies under one key, and beside it sorted sets say which sessions a user has and when they end; where these
/// are wrong after a crash, they are put right when they are next read.
///
/// [`upstash`](Self::upstash) is for a database that Node uses as well.
///
/// # What ends by itself
///
/// Sessions and one-time tokens are given a time to live: an hour longer than they last, and at the soonest an
/// hour from when they are written, since it is for the caller to judge what has ended, by a clock that may not be
/// the server's. Revocations are dropped together, an hour after the last of them is over. What the sets know
/// about ended sessions goes with [`delete_expired_sessions`](super::SessionStore::delete_expired_sessions) and
/// its kin, so these should run now and then.
///
/// # Clusters
///
/// A session is read in one round trip from a single server, together with its user, and in two from a cluster.
/// Everything that has to hold at once lies in one slot, or is written in an order in which it counts with its
/// last write only. A call that has begun to write comes to its end even if its future is dropped.
///
/// # When the server is away
///
/// Calls fail as [`Unavailable`](super::StoreErrorKind::Unavailable): at once if the server refuses, after three
/// seconds if it does not answer. They work again as soon as it is back, by a connection that is made anew; calls
/// that only read do not notice a restart. A server should keep its data (`appendonly yes`), and evict nothing of
/// what has no time to live (`maxmemory-policy` `noeviction` or `volatile-ttl`).
#[derive(Clone)]
pub struct RedisStore {
    link: Link,
    keys: Keys,
}

/// The namespace of a store that was given none.
const NAMESPACE: &str = "portcullis";

impl RedisStore {
    /// Connects to what the URL names: `redis://` or `rediss://` (with TLS) and
    /// `user:password@host:port/database` for a single server; `redis+cluster://` or `rediss+cluster://` and some
    /// nodes with commas in between, `user:password@host:port,host:port`, for a cluster.
    ///
    /// # Errors
    ///
    /// [`Configuration`](super::StoreErrorKind::Configuration) if the URL cannot be read,
    /// [`Unavailable`](super::StoreErrorKind::Unavailable) if nothing is there.
    pub async fn connect(url: &str) -> Result<Self> {
        match Address::parse(url)? {
            Address::Single(url) => Ok(Self::new(Link::single(&url).await?)),
            Address::Cluster(urls) => Self::connect_cluster(urls).await,
        }
    }

    /// Connects to a cluster, the rest of which these nodes know: a URL for each, as for a single server.
    ///
    /// # Errors
    ///
    /// [`Configuration`](super::StoreErrorKind::Configuration) if a URL cannot be read,
    /// [`Unavailable`](super::StoreErrorKind::Unavailable) if none of them is there.
    pub async fn connect_cluster<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Result<Self> {
        let urls: Vec<U> = urls.into_iter().collect();
        Ok(Self::new(Link::cluster(urls.iter().map(AsRef::as_ref)).await?))
    }

    /// Uses this connection of the crate `redis` to a single server. How long a call may take is for its settings to say.
    pub fn from_connection(connection: ConnectionManager) -> Self {
        Self::new(Link::Single(connection))
    }

    /// Uses this connection of the crate `redis` to a cluster. How long a call may take is for its settings to say. If
    /// it ever stops answering, as connections of redis 1.8 can when a node goes away, it is not made anew, as it is with
    /// [`connect_cluster`](Self::connect_cluster).
    pub fn from_cluster_connection(connection: ClusterConnection) -> Self {
        Self::new(Link::Cluster(Cluster::given(connection)))
    }

    fn new(link: Link) -> Self {
        Self { link, keys: Keys::namespace(NAMESPACE) }
    }

    /// Keeps everything under keys that begin with `name`, which is `portcullis` otherwise. Stores with different
    /// names know nothing of each other.
    #[must_use]
    pub fn namespace(mut self, name: &str) -> Self {
        self.keys = Keys::namespace(name);
        self
    }

    /// Uses the keys of `@auth/upstash-redis-adapter`, so that Node and this program share users and sessions.
    /// Session ids have to be raw then ([`AuthBuilder::session_ids`](crate::AuthBuilder::session_ids)).
    ///
    /// Values are those that the adapter would write, with members that it leaves alone. Its indexes know the
    /// last session and the last account of each user only; ours lie beside them, under `portcullis:`. What
    /// cannot be mended from this side is said by [`report`](super::SessionStore::report). Ids, providers and tokens that hold a
    /// colon, a per cent sign or more than ASCII have these encoded; the adapter makes none such.
    ///
    /// ```no_run
    /// use portcullis::store::{RedisStore, UpstashKeys};
    ///
    /// # async fn connect() -> portcullis::store::Result<()> {
    /// let store = RedisStore::connect("rediss://:password@example.upstash.io:6379").await?;
    /// let store = store.upstash(&UpstashKeys::new().base_key_prefix("app:"));
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn upstash(mut self, keys: &UpstashKeys) -> Self {
        self.keys = Keys::upstash(keys);
        self
    }
}

/// Single or cluster, and nothing that says where it is.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&self.link).finish()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        let found = match &self.link {
            Link::Single(_) => self.session_and_user_at_once(key).await?,
            Link::Cluster(_) => self.session_and_user_in_turn(key).await?,
        };
        Ok(found.map(|(session, user)| SessionAndUser { session: session.into(), user: user.into() }))
    }
}

/// What all of it is made of.
impl RedisStore {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        self.link.read(redis::cmd("GET").arg(key)).await
    }

    async fn get_all(&self, keys: &[String]) -> Result<Vec<Option<String>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.link.read(redis::cmd("MGET").arg(keys)).await
    }

    /// Writes what is not there; until an hour after `ends`, or for ever. Says whether it was written.
    async fn put(&self, key: &str, value: &str, ends: Option<Timestamp>) -> Result<bool> {
        self.link.run(script::PUT.key(key).arg(value).arg(millis(ends))).await
    }

    /// Writes what has not changed meanwhile. Says whether it was written.
    async fn swap(&self, key: &str, old: &str, new: &str, ends: Option<Timestamp>) -> Result<bool> {
        self.link.run(script::SWAP.key(key).arg(old).arg(new).arg(millis(ends))).await
    }

    /// Removes what has not changed meanwhile. Says whether it was removed.
    async fn drop_unchanged(&self, key: &str, old: &str) -> Result<bool> {
        self.link.run(script::DROP.key(key).arg(old)).await
    }

    async fn set(&self, key: &str, value: &str) -> Result<()> {
        self.link.send(redis::cmd("SET").arg(key).arg(value)).await
    }

    /// Removes keys, and says how many there were.
    async fn delete(&self, keys: &[String]) -> Result<u64> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.link.send(redis::cmd("DEL").arg(keys)).await
    }

    /// Comes to the end of `work` even if the future of the caller is dropped.
    async fn to_the_end<T, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        match tokio::spawn(work(self.clone())).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}

fn millis(at: Option<Timestamp>) -> String {
    at.map(|at| at.as_millis().to_string()).unwrap_or_default()
}
