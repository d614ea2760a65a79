//! Sessions as rows of a store (`docs/protocol.md` section 10.2).

use std::{borrow::Cow, fmt, iter, num::NonZeroUsize, task::Poll};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Extensions, HeaderMap, header::USER_AGENT};

use super::{
    Found, Later, Lifetime, LiveSession, Upstream,
    found::StoredTokens,
    lifetime::{extension, is_live_row},
};
use crate::{
    clock::Timestamp,
    origin::PeerAddr,
    random,
    store::{SessionAndUser, SessionKey, StoreError, StoredSession, Stores},
};

/// How the ids of sessions stand in the store (SECURITY S28).
///
/// The setting belongs to the table: with another one, nobody who is signed in is found any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SessionIds {
    /// The SHA-256 of what is in the cookie: whoever reads the table can sign in as nobody.
    #[default]
    Hashed,
    /// What is in the cookie, as Auth.js stores it: for a table that Node reads and writes too. Whoever reads the
    /// table, a backup of it or a log of its queries can sign in as everybody.
    Raw,
}

impl SessionIds {
    pub(crate) fn key(self, token: &str) -> SessionKey {
        match self {
            Self::Hashed => SessionKey::of_token(token),
            Self::Raw => SessionKey::new(token),
        }
    }
}

/// Where from a session is begun, as far as the application wants to show its users
/// ([`AuthBuilder::record_clients`](crate::AuthBuilder::record_clients)).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// The address, such as `203.0.113.7`.
    pub address: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
}

/// The longest text of a header that is recorded, in bytes.
const MAX_RECORDED: usize = 512;

impl Client {
    /// The `User-Agent` (its first 512 bytes), and the address that a [`PeerAddr`] among the extensions says, which the
    /// server has to put there: with Axum a layer that copies `ConnectInfo`. Behind a proxy that is the proxy's.
    pub fn of_request(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let user_agent = agent.map(|agent| agent[..agent.len().min(MAX_RECORDED)].to_owned());
        let address = extensions.get::<PeerAddr>().map(|peer| peer.0.to_string());
        Self { address, user_agent }
    }
}

/// What it knows, and none of it.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address.is_some())
            .field("user_agent", &self.user_agent.is_some())
            .finish()
    }
}

/// The rows of sessions: made, found, extended and ended.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) stores: Stores,
    pub(crate) ids: SessionIds,
    /// How many sessions a user may have at once.
    pub(crate) limit: Option<NonZeroUsize>,
}

/// Those tokens of a request that may name rows: the others cost no look at the store.
#[derive(Default)]
pub(super) struct Possible<'t> {
    first: Option<Cow<'t, str>>,
    rest: Vec<String>,
}

/// Nobody sends more tokens than this by accident.
const MAX_TOKENS: usize = 4;

impl<'t> Possible<'t> {
    pub(super) fn add(&mut self, token: Cow<'t, str>) {
        if !is_possible(&token) {
            return;
        }
        let Some(first) = &self.first else {
            self.first = Some(token);
            return;
        };
        let is_known = *first == token || self.rest.iter().any(|known| *known == token);
        if !is_known && 1 + self.rest.len() < MAX_TOKENS {
            self.rest.push(token.into_owned());
        }
    }
}

impl Rows {
    /// Whose sessions the tokens name, if the store knows that now.
    pub(super) fn find_now(&self, tokens: Possible<'_>, lifetime: &Lifetime, now: Timestamp) -> Found {
        let Possible { first: Some(first), rest } = tokens else { return Found::Nobody };
        // Several are rare.
        if rest.is_empty()
            && let Poll::Ready(found) = self.stores.session_and_user_now(&self.ids.key(&first))
        {
            return match found {
                Some(found) if is_live_row(&found.session, lifetime, now) => {
                    Found::Session(LiveSession::of_row(found, first.into_owned()))
                }
                _ => Found::Nobody,
            };
        }
        Found::Later(Later::Stored(StoredTokens { first: first.into_owned(), rest }))
    }

    /// Whose sessions the tokens name.
    pub(super) async fn find(&self, tokens: StoredTokens, lifetime: &Lifetime, now: Timestamp) -> Found {
        let mut all = Found::Nobody;
        for token in iter::once(tokens.first).chain(tokens.rest) {
            match self.stores.session_and_user(&self.ids.key(&token)).await {
                Ok(Some(found)) if is_live_row(&found.session, lifetime, now) => {
                    all.add(LiveSession::of_row(found, token));
                }
                Ok(_) => {}
                // One that cannot be read is not one that is not there, whatever the others say.
                Err(_) => return Found::Unavailable,
            }
        }
        all
    }

    /// Makes a session with a new id, and answers it with what goes into the cookie.
    pub(crate) async fn create(
        &self,
        user_id: &str,
        client: Client,
        upstream: Option<&Upstream>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(String, StoredSession), StoreError> {
        let token = new_token()?;
        let session = StoredSession {
            created: Some(now),
            last_seen: Some(now),
            address: client.address,
            user_agent: client.user_agent,
            data: upstream.map(|it| (Upstream::MEMBER.to_owned(), it.to_value())).into_iter().collect(),
            ..StoredSession::new(self.ids.key(&token), user_id, expires)
        };
        self.stores.ask(self.stores.sessions.create_session(&session, self.limit)).await?;
        Ok((token, session))
    }

    /// Puts a session under a new id; the old one opens nothing any more.
    pub(crate) async fn rename(&self, session: &StoredSession) -> Result<String, StoreError> {
        let token = new_token()?;
        // What is there now, and not what the request came with: data may have been written since.
        let Some(current) = self.stores.ask(self.stores.sessions.session(&session.key)).await? else {
            return Err(StoreError::conflict("the session has ended"));
        };
        let renamed = StoredSession { key: self.ids.key(&token), ..current };
        // Without the limit: one of the two is about to go.
        self.stores.ask(self.stores.sessions.create_session(&renamed, None)).await?;
        if !self.end(&session.key).await? {
            // It was ended while this was on its way; so is its heir.
            self.end(&renamed.key).await?;
            return Err(StoreError::conflict("the session has ended"));
        }
        Ok(token)
    }

    /// Moves the end of a session if that is due, and answers when it ends then. That it cannot be moved now is
    /// no reason to refuse the session.
    pub(crate) async fn extend(&self, row: &StoredSession, lifetime: &Lifetime, now: Timestamp) -> Timestamp {
        let Some(end) = extension(row, lifetime, now) else { return row.expires };
        match self.stores.ask(self.stores.sessions.extend_session(&row.key, end, now)).await {
            Ok(true) => end,
            Ok(false) | Err(_) => row.expires,
        }
    }

    /// Ends a session; says whether there was one.
    pub(crate) async fn end(&self, key: &SessionKey) -> Result<bool, StoreError> {
        self.stores.ask(self.stores.sessions.end_session(key)).await
    }

    /// The sessions of a user, ended ones among them.
    pub(crate) async fn of_user(&self, user_id: &str) -> Result<Vec<StoredSession>, StoreError> {
        self.stores.ask(self.stores.sessions.sessions_of(user_id)).await
    }

    /// Ends the sessions of a user, all but `keep`.
    pub(crate) async fn end_of_user(
        &self,
        user_id: &str,
        keep: Option<&SessionKey>,
    ) -> Result<(), StoreError> {
        self.stores.ask(self.stores.sessions.end_sessions_of(user_id, keep)).await.map(drop)
    }

    /// The session as it is now, if it still counts.
    pub(crate) async fn look(
        &self,
        row: &StoredSession,
        lifetime: &Lifetime,
        now: Timestamp,
    ) -> Result<Option<SessionAndUser>, StoreError> {
        let found = self.stores.session_and_user(&row.key).await?;
        Ok(found.filter(|found| is_live_row(&found.session, lifetime, now)))
    }
}

/// 256 random bits as 43 characters.
fn new_token() -> Result<String, StoreError> {
    let bytes: [u8; 32] = random::bytes().map_err(StoreError::unavailable)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether this can be what a cookie of a stored session holds. Node's are UUIDs, those of v3 64 characters; the
/// column has 255.
fn is_possible(token: &str) -> bool {
    // Each byte, without a way out: several are looked at in one go then.
    (16..=255).contains(&token.len())
        && token.bytes().fold(true, |graphic, byte| graphic & byte.is_ascii_graphic())
}
