//! Tokens that count no more although they have not expired: what the store of revocations says, kept in memory.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex;

use super::{Claims, LiveSession, Upstream};
use crate::{
    clock::{Clock, Timestamp},
    error::ConfigError,
    store::{Revocation, RevocationStore, Revoked, StoreError},
};

/// How sessions that live in tokens are ended before they expire: a list of those that were, kept in a store and
/// read by each process at most once per `staleness`.
///
/// So a sign-out, and everything else that ends sessions, holds in the process that was told at once, and in all
/// others at most `staleness` later. Between two reads no request waits for the store.
///
/// A Next.js application that shares the secret knows nothing of the list, and goes on taking such tokens.
///
/// # How long the list gets
///
/// Each sign-out, each new id and each end of all of a user's sessions is a row in the store (two where the application
/// names the user by an id, up to three for a sign-out that a provider tells of), and each row at most 150 bytes in
/// the memory of each process (with ids of 36 letters, as ours are), until the tokens that it is about would be over by
/// themselves: `max_age`, the staleness and five minutes later; with [`fail_open`](Self::fail_open) one `max_age` more. A
/// thousand sign-outs an hour and a `max_age` of 30 days are 720,000 rows and 110 MB. A shorter `max_age` makes it
/// shorter; where that does not do, keep sessions in a store.
///
/// There is no cap. To drop a row would bring a session back, to refuse a sign-out would leave one open, and to let
/// nobody in above so many rows would put the site into the hands of anyone who signs in and out often enough. Only a
/// session that counts can be put on the list, and only once: whoever wants it longer has to sign in, or to be given a
/// new id, for each row.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Auth, OriginPolicy, RevocationPolicy, Secret, store::MemoryStore};
///
/// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
///     .origin(OriginPolicy::fixed("https://app.example")?)
///     .revocation(MemoryStore::new(), RevocationPolicy::within(Duration::from_secs(10))?)
///     .build()?;
/// # let _ = auth;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevocationPolicy {
    staleness: Duration,
    fail_open: bool,
}

impl RevocationPolicy {
    /// A revocation holds everywhere after `staleness`. While the store cannot be reached for longer than that,
    /// sessions are unavailable (503), neither signed in nor signed out.
    ///
    /// # Errors
    ///
    /// When it is less than a second or more than an hour.
    pub fn within(staleness: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&staleness) {
            return Err(ConfigError::one(
                "the staleness of revocations is less than a second or more than an hour",
                "say after how long a session that was ended must be over everywhere, such as ten seconds",
            ));
        }
        Ok(Self { staleness, fail_open: false })
    }

    /// While the store cannot be reached, tokens count by what was last read, however old that is: revoked ones
    /// may be taken for as long as the fault lasts.
    pub fn fail_open(mut self) -> Self {
        self.fail_open = true;
        self
    }
}

/// The list, as far as this process knows it.
pub(crate) struct Revocations {
    store: Arc<dyn RevocationStore>,
    policy: RevocationPolicy,
    known: RwLock<Known>,
    /// One read at a time; whoever waits for it has the newer list then.
    reading: Mutex<()>,
    /// Counts the reads, so that whoever waited for one knows that it is over.
    attempts: AtomicUsize,
    time_limit: Duration,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Known {
    /// When the list was last read; when that was last tried, and whether it failed then.
    read: Option<Timestamp>,
    tried: Option<Timestamp>,
    failed: bool,
    own: Names,
    /// Apart, as to look for one takes a hash: who is told of no logout at a provider needs none.
    upstream: Box<Names>,
}

#[derive(Default)]
struct Names {
    /// From when on nobody needs to know.
    sessions: HashMap<String, Timestamp>,
    users: HashMap<String, Epoch>,
}

#[derive(Clone, Copy)]
struct Epoch {
    at: Timestamp,
    expires: Timestamp,
}

/// What the list says of a token.
pub(super) enum Standing {
    Counts,
    Revoked,
    /// The list is too old to say.
    Unknown,
}

/// The id by which the list names the session of a token: its `sid`, or else the `jti` that becomes its `sid` when
/// it is renewed.
pub(crate) fn session_id(claims: &Claims) -> Option<&str> {
    ["sid", "jti"].into_iter().find_map(|name| claims.get_str(name).filter(|id| !id.is_empty()))
}

/// The name by which the list has all sessions of the user of a token. One who is in no store although there is one has
/// a name apart: somebody in the store may have the same id, and neither ends the other's.
pub(crate) fn user_name(claims: &Claims) -> Option<Cow<'_, str>> {
    let subject = claims.subject()?;
    Some(if claims.is_unstored() { Cow::Owned(unstored_user(&subject)) } else { subject })
}

/// That name.
pub(crate) fn unstored_user(user_id: &str) -> String {
    format!("{}:{user_id}", Claims::UNSTORED)
}

/// How far the clocks of those who write the list may be apart.
const OVERLAP: Duration = Duration::from_secs(300);

/// After a read that failed the next one is not tried before.
const RETRY: Duration = Duration::from_secs(1);

impl Revocations {
    pub(crate) fn new(
        store: Arc<dyn RevocationStore>,
        policy: RevocationPolicy,
        time_limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            policy,
            known: RwLock::default(),
            reading: Mutex::default(),
            attempts: AtomicUsize::new(0),
            time_limit,
            clock,
        }
    }

    /// In words, for who runs the application.
    pub(crate) fn describe(&self) -> String {
        let RevocationPolicy { staleness, fail_open } = self.policy;
        let unreachable = if fail_open { "revoked ones may be taken" } else { "nobody can be told" };
        format!(
            "tokens that were ended are over everywhere after {} s; while the list cannot be read for longer, \
             {unreachable}",
            staleness.as_secs()
        )
    }

    /// By the list as it is known now; no look at the store.
    pub(super) fn standing(&self, session: &LiveSession, now: Timestamp) -> Standing {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if !known.is_read_within(self.policy.staleness, now) {
            return Standing::Unknown;
        }
        known.standing(session)
    }

    /// The same, after a look at the store if the list is too old.
    pub(super) async fn fresh_standing(&self, session: &LiveSession, now: Timestamp) -> Standing {
        self.refresh(false).await;
        // The list may have been read after the request began.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).read;
        match self.standing(session, known.map_or(now, |read| read.max(now))) {
            Standing::Unknown => self.last_standing(session),
            standing => standing,
        }
    }

    /// After a look at the store, however new the list is: before a session is given anything by which it would
    /// outlive its end.
    pub(super) async fn sure_standing(&self, session: &LiveSession) -> Standing {
        let before = self.known.read().unwrap_or_else(PoisonError::into_inner).read;
        self.refresh(true).await;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.read {
            read if read == before && known.failed => Standing::Unknown,
            _ => known.standing(session),
        }
    }

    /// By whatever was last read, where that is allowed.
    pub(super) fn last_standing(&self, session: &LiveSession) -> Standing {
        if !self.policy.fail_open {
            return Standing::Unknown;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.standing(session)
    }

    /// Whether a look at the store is due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        !known.is_read_within(self.policy.staleness, now)
    }

    /// Reads the list if that is due, or in any case if it is `forced`. One at a time: whoever has waited for another
    /// read has its outcome, and does not try the same again.
    pub(crate) async fn refresh(&self, forced: bool) {
        let seen = self.attempts.load(Ordering::Acquire);
        let _one = match self.reading.try_lock() {
            Ok(one) => one,
            // What was last read will do.
            Err(_) if self.policy.fail_open && !forced => return,
            Err(_) => self.reading.lock().await,
        };
        if self.attempts.load(Ordering::Acquire) != seen && !forced {
            return;
        }
        let now = Timestamp::from(self.clock.now());
        let since = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let tried =
                known.failed && known.tried.is_some_and(|tried| tried <= now && now.since(tried) < RETRY);
            if tried || (!forced && known.is_read_within(self.policy.staleness, now)) {
                return;
            }
            // All of it, the first time and after a clock was set back.
            known
                .read
                .filter(|read| *read <= now)
                .map_or(Timestamp::from_millis(0), |read| read.minus(OVERLAP))
        };
        let answer = self.ask(self.store.revocations(since)).await;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.tried = Some(Timestamp::from(self.clock.now()));
        known.failed = answer.is_err();
        if let Ok(revocations) = answer {
            // As of when it was asked for: what came meanwhile may be missing.
            known.read = Some(now);
            known.forget(now);
            revocations.iter().for_each(|revocation| known.add(revocation));
        }
        self.attempts.fetch_add(1, Ordering::Release);
    }

    /// Until when a revocation has to be known that is made at `now`, if tokens last for `max_age`: a process that has
    /// not heard of it may renew a token in the meantime.
    pub(super) fn known_until(&self, now: Timestamp, max_age: Duration) -> Timestamp {
        // Who counts tokens while the list cannot be read renews them for as long as that takes.
        let outage = if self.policy.fail_open { max_age } else { Duration::ZERO };
        now.plus(max_age).plus(self.policy.staleness).plus(OVERLAP).plus(outage)
    }

    /// Ends the sessions that `revocation` is about: in the store, and then here.
    pub(crate) async fn revoke(&self, revocation: &Revocation) -> Result<(), StoreError> {
        self.ask(self.store.revoke(revocation)).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).add(revocation);
        Ok(())
    }

    /// A time for the sign-in of a session that begins at `now`, which is after the last time that all of this
    /// user's were ended: tokens count whole seconds.
    pub(crate) fn beginning(&self, user_id: &str, now: Timestamp) -> Timestamp {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.after(user_id, now)
    }

    /// The same for the token that these claims become.
    pub(crate) fn beginning_of(&self, claims: &Claims, now: Timestamp) -> Timestamp {
        let user = user_name(claims).unwrap_or_default();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let begun = known.after(&user, now);
        match known.upstream_user(claims) {
            Some(user) => begun.max(known.after(&user, now)),
            None => begun,
        }
    }

    /// Removes rows that nobody needs any more.
    pub(crate) async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.ask(self.store.delete_expired_revocations(now, limit)).await
    }

    async fn ask<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        crate::store::ask(&*self.clock, self.time_limit, call).await
    }
}

impl Known {
    fn is_read_within(&self, staleness: Duration, now: Timestamp) -> bool {
        // A clock that was set back makes the list too old, not too new.
        self.read.is_some_and(|read| read <= now && now.since(read) < staleness)
    }

    /// However old it is.
    fn standing(&self, session: &LiveSession) -> Standing {
        if self.names(session) { Standing::Revoked } else { Standing::Counts }
    }

    /// Where a name stands: an application's own id may look like one of a provider's.
    fn of(&self, name: &str) -> &Names {
        if Upstream::is_name(name) { &self.upstream } else { &self.own }
    }

    fn names(&self, session: &LiveSession) -> bool {
        if self.own.is_empty() && self.upstream.is_empty() {
            return false;
        }
        let Some(claims) = session.claims() else { return false };
        // A token without an id cannot be on the list but by its user.
        let is_listed = |id: &str| self.of(id).sessions.contains_key(id);
        if session_id(&claims).is_some_and(is_listed)
            || self.upstream_session(&claims).is_some_and(|id| is_listed(&id))
        {
            return true;
        }
        let is_over = |user: &str| {
            self.of(user).users.get(user).is_some_and(|epoch| {
                // Tokens count whole seconds: what began in the second of the epoch is over.
                session.registered.kept().is_none_or(|kept| kept.as_secs() <= epoch.at.as_secs())
            })
        };
        user_name(&claims).is_some_and(|user| is_over(&user))
            || self.upstream_user(&claims).is_some_and(|user| is_over(&user))
    }

    /// As which session at a provider it ends.
    fn upstream_session(&self, claims: &Claims) -> Option<String> {
        if self.upstream.sessions.is_empty() { None } else { Upstream::of(claims.members())?.revoked_as() }
    }

    /// Under whose name it ends with a logout at a provider that cannot name it.
    fn upstream_user(&self, claims: &Claims) -> Option<String> {
        if self.upstream.users.is_empty() { None } else { Upstream::user_of(claims) }
    }

    /// A time that is `now`, or after the last time that all of this user's were ended.
    fn after(&self, user: &str, now: Timestamp) -> Timestamp {
        match self.of(user).users.get(user) {
            // One that was under way when all were ended is over with them.
            Some(epoch) if now.as_secs() >= epoch.at.as_secs() => {
                now.max(epoch.at.plus(Duration::from_secs(1)))
            }
            Some(_) | None => now,
        }
    }

    fn add(&mut self, revocation: &Revocation) {
        let Revocation { subject, at, expires, .. } = revocation;
        match subject {
            Revoked::Session(id) => {
                let known = self.of_mut(id).sessions.entry(id.clone()).or_insert(*expires);
                *known = (*known).max(*expires);
            }
            Revoked::User(id) => {
                let epoch = Epoch { at: *at, expires: *expires };
                let known = self.of_mut(id).users.entry(id.clone()).or_insert(epoch);
                *known = Epoch { at: known.at.max(*at), expires: known.expires.max(*expires) };
            }
        }
    }

    fn of_mut(&mut self, name: &str) -> &mut Names {
        if Upstream::is_name(name) { &mut self.upstream } else { &mut self.own }
    }

    fn forget(&mut self, now: Timestamp) {
        self.own.forget(now);
        self.upstream.forget(now);
    }
}

impl Names {
    fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.users.is_empty()
    }

    fn forget(&mut self, now: Timestamp) {
        self.sessions.retain(|_, expires| *expires > now);
        self.users.retain(|_, epoch| epoch.expires > now);
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("store", &self.store)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
