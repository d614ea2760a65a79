//! The rows that stores keep.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{clock::Timestamp, user::User};

/// How a session is found in its store: what stands in the column `sessionToken`.
///
/// By default the SHA-256 of the token in the cookie, so that whoever reads the table cannot sign in with it;
/// the token itself where the table is shared with Node
/// (see [`AuthBuilder::session_ids`](crate::AuthBuilder::session_ids)). To a store it is text like any other.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey(Arc<str>);

impl SessionKey {
    /// A key as it is stored.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The key of `token`, hashed: 43 characters of base64url.
    pub fn of_token(token: &str) -> Self {
        // Without an allocation but the key itself: each request of a stored session makes one.
        let digest = Sha256::digest(token.as_bytes());
        let mut text = [0; KEY_LENGTH];
        let written = URL_SAFE_NO_PAD.encode_slice(digest, &mut text).unwrap_or_default();
        match str::from_utf8(&text[..written]) {
            Ok(text) if text.len() == KEY_LENGTH => Self(text.into()),
            _ => Self(URL_SAFE_NO_PAD.encode(digest).into()),
        }
    }

    /// The text as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for the session that may be shown to its user: it finds the session among theirs and opens none.
    pub fn handle(&self) -> String {
        // Of another text than `of_token`, or the handle of a raw key would be the key of its hashed twin.
        let digest = Sha256::new().chain_update("handle:").chain_update(self.0.as_bytes()).finalize();
        URL_SAFE_NO_PAD.encode(&digest[..16])
    }
}

/// What 32 bytes come to in base64url.
const KEY_LENGTH: usize = 43;

/// Without the text, which may be what is in the cookie.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// A session as it is stored (`docs/protocol.md` section 17.1), and what the Auth.js tables have no place for.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredSession {
    /// How it is found.
    pub key: SessionKey,
    /// Whose it is: the id of a [`User`].
    pub user_id: String,
    /// When it ends. A store keeps at least milliseconds and judges nothing by it, but for
    /// [`delete_expired_sessions`](super::SessionStore::delete_expired_sessions) and a store's own eviction.
    pub expires: Timestamp,
    /// When its user signed in. `None` where Node has made it, or the table has no place for it.
    pub created: Option<Timestamp>,
    /// When it was last extended, which is at most `update_age` after it was last used.
    pub last_seen: Option<Timestamp>,
    /// Where it was begun from, if the application records that.
    pub address: Option<String>,
    /// The `User-Agent` it was begun with, if the application records that.
    pub user_agent: Option<String>,
    /// Counts the changes of `data`, from 0.
    pub version: u64,
    /// What the application keeps with the session; empty where the table has no place for it.
    pub data: Map<String, Value>,
}

impl StoredSession {
    /// A session of this user, with nothing known about it but its end.
    pub fn new(key: SessionKey, user_id: impl Into<String>, expires: Timestamp) -> Self {
        Self {
            key,
            user_id: user_id.into(),
            expires,
            created: None,
            last_seen: None,
            address: None,
            user_agent: None,
            version: 0,
            data: Map::new(),
        }
    }
}

/// Times and the version only: the rest may be personal.
impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSession")
            .field("expires", &self.expires)
            .field("created", &self.created)
            .field("last_seen", &self.last_seen)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A session and whose it is. Shared, so that stores in memory and caches hand them out without a copy.
#[derive(Debug, Clone)]
pub struct SessionAndUser {
    /// The session.
    pub session: Arc<StoredSession>,
    /// Its user.
    pub user: Arc<User>,
}

/// What [`SessionStore::replace_session_data`](super::SessionStore::replace_session_data) came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It was written.
    Done,
    /// Somebody else was faster: read the session again.
    Stale,
    /// There is no such session, and none was made.
    Missing,
}

/// What of a user changes. What is `None` stays, and so do members of `extra` that are not named.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct UserChange {
    /// The name to show.
    pub name: Option<String>,
    /// The e-mail address. [`Conflict`](super::StoreErrorKind::Conflict) if another user has it. Any other than
    /// the one they have counts as unproved, unless `email_verified` comes with it.
    pub email: Option<String>,
    /// When the address was proved to be the user's. If it is `None`, that stays as long as the address does.
    pub email_verified: Option<Timestamp>,
    /// The address of a picture.
    pub image: Option<String>,
    /// Members of the application's own.
    pub extra: Map<String, Value>,
    /// The change is made only if this is the address that the user has. If it is `None`, that is any, or none.
    pub if_email: Option<String>,
}

impl UserChange {
    /// Makes the change to `user`, and says so; not if they have another address than [`if_email`](Self::if_email). What
    /// proved one address proves no other: if another comes without its own `email_verified`, that is `None` then.
    ///
    /// ```
    /// use portcullis::{Timestamp, User, store::UserChange};
    ///
    /// let mut user = User::new("1").email("old@example.com").email_verified(Timestamp::from_secs(1));
    /// let mut change = UserChange::default();
    /// change.email = Some("new@example.com".to_owned());
    /// change.if_email = Some("old@example.com".to_owned());
    /// assert!(change.clone().apply(&mut user));
    /// assert_eq!(user.email_verified, None);
    /// assert!(!change.apply(&mut user));
    /// ```
    pub fn apply(self, user: &mut User) -> bool {
        if !self.is_for(user) {
            return false;
        }
        let same_email = self.email.is_none() || self.email == user.email;
        user.name = self.name.or(user.name.take());
        user.email = self.email.or(user.email.take());
        user.email_verified = self.email_verified.or(user.email_verified.filter(|_| same_email));
        user.image = self.image.or(user.image.take());
        user.extra.extend(self.extra);
        true
    }

    /// Whether the user has the address that it is for.
    pub(crate) fn is_for(&self, user: &User) -> bool {
        self.if_email.is_none() || self.if_email == user.email
    }
}

/// Which members change, not into what.
impl fmt::Debug for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserChange")
            .field("name", &self.name.is_some())
            .field("email", &self.email.is_some())
            .field("email_verified", &self.email_verified.is_some())
            .field("image", &self.image.is_some())
            .field("extra", &self.extra.keys())
            .field("if_email", &self.if_email.is_some())
            .finish()
    }
}

/// What the logouts that providers told of are filed under among the one-time tokens: a store may keep them apart.
pub(crate) const LOGOUTS: &str = "oauth-logout";
/// Likewise the states of sign-ins at providers.
pub(crate) const STATES: &str = "oauth-state";
/// Likewise the leases of those who refresh a provider's tokens.
pub(crate) const LEASES: &str = "provider-token";
/// Likewise the attempts at mailed codes.
pub(crate) const CODE_ATTEMPTS: &str = "email-code";
/// Likewise the mails that addresses were sent.
pub(crate) const MAIL_LIMITS: &str = "email-limit";

/// A one-time token, such as that of a mailed link (`docs/protocol.md` sections 8 and 17.1).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerificationToken {
    /// What it proves, such as an e-mail address.
    pub identifier: String,
    /// The hash of the token.
    pub token: String,
    /// When it is over. Judged by the caller, not by the store.
    pub expires: Timestamp,
}

impl VerificationToken {
    /// A token for `identifier`; `token` is a hash.
    pub fn new(identifier: impl Into<String>, token: impl Into<String>, expires: Timestamp) -> Self {
        Self { identifier: identifier.into(), token: token.into(), expires }
    }
}

/// Its end only.
impl fmt::Debug for VerificationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Tokens of the JWT strategy that count no more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// Which tokens.
    pub subject: Revoked,
    /// When it was said.
    pub at: Timestamp,
    /// From when on nobody needs to know any more, since the tokens are over by themselves.
    pub expires: Timestamp,
}

/// Which tokens a [`Revocation`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revoked {
    /// Those of one session: their `sid`, or the `jti` of a token that has none.
    Session(String),
    /// Those of a user that were made before, and the sessions that were begun before.
    User(String),
}

impl Revocation {
    /// `subject` is over as of `at`; until `expires` that has to be known.
    pub fn new(subject: Revoked, at: Timestamp, expires: Timestamp) -> Self {
        Self { subject, at, expires }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S28: neither the key nor the handle is what is in the cookie, nor is the one the other.
    #[test]
    fn s28_keys_and_handles_open_nothing() {
        let token = "a-token-of-a-cookie";
        let (hashed, raw) = (SessionKey::of_token(token), SessionKey::new(token));
        let shown = [hashed.as_str().to_owned(), hashed.handle(), raw.handle()];
        for text in &shown {
            assert_ne!(text, token);
            // Sent as a cookie it leads nowhere, whether keys are hashed or not.
            assert!(SessionKey::of_token(text) != hashed && SessionKey::new(text.as_str()) != raw);
        }
        let key = hashed;
        assert_eq!(key.as_str().len(), 43);
        assert!(!format!("{key:?}").contains(key.as_str()));
    }
}
