//! What is kept where: users, sessions, and what ends them.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use http::{Extensions, HeaderMap};

use super::AuthBuilder;
use crate::{
    account::LinkingPolicy,
    auth::CredentialsUsers,
    error::ConfigError,
    provider::Provider,
    session::{Client, Place, RevocationPolicy, Revocations, Rows, SessionIds},
    store::{RevocationStore, SessionStore, Store, Stores},
};

impl AuthBuilder {
    /// Keeps users, their accounts and their sessions in a store: the database strategy of Auth.js
    /// (`docs/protocol.md` section 10.2). Credentials sign in there, too.
    ///
    /// Users have the store's ids then, sessions have no token: the `jwt` callback is not called, `get_token` answers
    /// `None`, and guards judge the user as stored. Keep a [`Sweep`](crate::Sweep) of
    /// [`Auth::sweep_every`](crate::Auth::sweep_every), or expired rows stay. `docs/stores.md` of the repository says the rest.
    ///
    /// ```
    /// use portcullis::{Auth, OriginPolicy, Secret, store::MemoryStore};
    ///
    /// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
    ///     .origin(OriginPolicy::fixed("https://app.example")?)
    ///     .store(MemoryStore::new())
    ///     .build()?;
    /// # let _ = auth;
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Keeps sessions in another store than users, such as Redis beside PostgreSQL. Reading a session takes two
    /// round trips then.
    pub fn session_store(mut self, sessions: impl SessionStore) -> Self {
        self.session_store = Some(Arc::new(sessions));
        self
    }

    /// Keeps users and accounts in the store, and sessions in tokens: `strategy: "jwt"` of Auth.js with an
    /// adapter.
    pub fn sessions_in_tokens(mut self, in_tokens: bool) -> Self {
        self.sessions_in_tokens = in_tokens;
        self
    }

    /// How long one call of a store may take; 5 seconds by default. Then sessions are unavailable (503), which is
    /// neither signed in nor signed out.
    pub fn store_time_limit(mut self, limit: Duration) -> Self {
        self.store_time_limit = limit;
        self
    }

    /// How the ids of sessions stand in the store; hashed by default. Say [`SessionIds::Raw`] for a table that Node
    /// reads and writes, too.
    pub fn session_ids(mut self, ids: SessionIds) -> Self {
        self.session_ids = ids;
        self
    }

    /// How many sessions a user may have in the store at once; the one that was begun first gives way. Any number
    /// by default.
    pub fn session_limit(mut self, limit: NonZeroUsize) -> Self {
        self.session_limit = Some(limit);
        self
    }

    /// Lets sessions that live in tokens be ended before they expire, see [`RevocationPolicy`]. Tokens say when
    /// their user signed in then (`auth_time`) and which session they are of (`sid`).
    pub fn revocation(mut self, store: impl RevocationStore, policy: RevocationPolicy) -> Self {
        self.revocation = Some((Arc::new(store), policy));
        self
    }

    /// Seals the tokens that providers give with the secret before they are stored; off by default, so that servers of
    /// the npm packages can read them in the same tables. Tokens that were stored before stay readable. After a change
    /// of the secret those that were sealed with the old one open as long as it is in the list
    /// ([`Secret::or_previous`](crate::Secret::or_previous)).
    pub fn seal_provider_tokens(mut self, seal: bool) -> Self {
        self.seals_provider_tokens = seal;
        self
    }

    /// When an account that nobody has linked may sign in as the user with its e-mail address; never by default.
    pub fn linking(mut self, policy: LinkingPolicy) -> Self {
        self.linking = policy;
        self
    }

    /// Whose ids those are that `authorize` gives, where sessions live in a store: the application's own
    /// ([`CredentialsUsers::Linked`]) by default.
    pub fn credentials_users(mut self, users: CredentialsUsers) -> Self {
        self.credentials_users = users;
        self
    }

    /// Records with each session in the store where it was begun from, to be shown to its user. Nothing is by
    /// default. [`Client::of_request`] takes the `User-Agent` and the address that
    /// [`PeerAddr`](crate::PeerAddr) says.
    ///
    /// ```
    /// # use portcullis::{Auth, Client, Secret};
    /// # let builder = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"));
    /// builder.record_clients(Client::of_request)
    /// # ;
    /// ```
    pub fn record_clients(
        mut self,
        describe: impl Fn(&HeaderMap, &Extensions) -> Client + Send + Sync + 'static,
    ) -> Self {
        self.describe_client = Some(Arc::new(describe));
        self
    }

    pub(super) fn check_stores(&self, problems: &mut ConfigError) {
        let mails = self.providers.iter().any(|provider| matches!(provider, Provider::Email(_)));
        if mails && self.store.is_none() {
            problems.add(
                "links are sent by mail, and there is no store for their tokens",
                "add `.store(..)`; with `.sessions_in_tokens(true)` sessions stay in tokens",
            );
        }
        if self.session_store.is_some() && self.store.is_none() {
            problems.add(
                "there is a store for sessions and none for users",
                "add `.store(..)`: it keeps the users that the sessions are about",
            );
        }
        if self.sessions_in_tokens && self.session_store.is_some() {
            problems.add(
                "sessions are to be in tokens, and there is a store for them",
                "leave out `session_store`, or `sessions_in_tokens`",
            );
        }
        let in_store = self.store.is_some() && !self.sessions_in_tokens;
        if in_store && self.revocation.is_some() {
            problems.add(
                "revocations are kept for sessions that live in a store",
                "leave out `revocation`: such sessions are ended by removing them",
            );
        }
        if !in_store && self.session_limit.is_some() {
            problems.add(
                "a limit of sessions is set, and sessions live in tokens, which nobody counts",
                "add `.store(..)`, or leave out `session_limit`",
            );
        }
    }

    /// The stores, and where sessions live.
    pub(super) fn place(&mut self) -> (Option<Stores>, Place) {
        let (limit, clock) = (self.store_time_limit, Arc::clone(&self.clock));
        let sessions = self.session_store.take();
        let stores = self.store.take().map(|store| Stores::new(store, sessions, limit, Arc::clone(&clock)));
        let place = match &stores {
            Some(stores) if !self.sessions_in_tokens => Place::Store(Rows {
                stores: stores.clone(),
                ids: self.session_ids,
                limit: self.session_limit,
            }),
            _ => Place::Token(
                self.revocation.take().map(|(store, policy)| Revocations::new(store, policy, limit, clock)),
            ),
        };
        (stores, place)
    }
}
