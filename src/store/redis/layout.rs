//! Which key holds what.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// The keys of `@auth/upstash-redis-adapter` (`docs/protocol.md` section 17.5), by the names of its options.
///
/// ```
/// use portcullis::store::UpstashKeys;
///
/// let keys = UpstashKeys::new().base_key_prefix("app:").session_key_prefix("session:");
/// # let _ = keys;
/// ```
#[derive(Debug, Clone)]
pub struct UpstashKeys {
    base: String,
    account: String,
    account_by_user: String,
    email: String,
    session: String,
    session_by_user: String,
    user: String,
    token: String,
}

impl UpstashKeys {
    /// The adapter's defaults.
    pub fn new() -> Self {
        Self {
            base: String::new(),
            account: "user:account:".into(),
            account_by_user: "user:account:by-user-id:".into(),
            email: "user:email:".into(),
            session: "user:session:".into(),
            session_by_user: "user:session:by-user-id:".into(),
            user: "user:".into(),
            token: "user:token:".into(),
        }
    }

    /// Its `baseKeyPrefix`, in front of all keys.
    #[must_use]
    pub fn base_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.base = prefix.into();
        self
    }

    /// Its `accountKeyPrefix`.
    #[must_use]
    pub fn account_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.account = prefix.into();
        self
    }

    /// Its `accountByUserIdPrefix`.
    #[must_use]
    pub fn account_by_user_id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.account_by_user = prefix.into();
        self
    }

    /// Its `emailKeyPrefix`.
    #[must_use]
    pub fn email_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.email = prefix.into();
        self
    }

    /// Its `sessionKeyPrefix`.
    #[must_use]
    pub fn session_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.session = prefix.into();
        self
    }

    /// Its `sessionByUserIdKeyPrefix`.
    #[must_use]
    pub fn session_by_user_id_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.session_by_user = prefix.into();
        self
    }

    /// Its `userKeyPrefix`.
    #[must_use]
    pub fn user_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.user = prefix.into();
        self
    }

    /// Its `verificationTokenKeyPrefix`.
    #[must_use]
    pub fn verification_token_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.token = prefix.into();
        self
    }
}

impl Default for UpstashKeys {
    fn default() -> Self {
        Self::new()
    }
}

/// All but letters, digits and these four is encoded. What is left holds neither the separator nor the braces
/// by which a cluster finds the part of a key that decides where it lies.
const ALL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// [`ALL`] as a pattern of Lua, of the characters that are encoded.
const ALL_IN_LUA: &str = "[^A-Za-z0-9_.~-]";

/// What the adapter writes as it is, we do too, but for the two characters by which one part could pass for two.
/// Its own ids are UUIDs and its tokens are hexadecimal: they stay as they are.
const SEPARATORS: &AsciiSet = &percent_encoding::CONTROLS.add(b':').add(b'%');
/// [`SEPARATORS`] as a pattern of Lua.
const SEPARATORS_IN_LUA: &str = "[^ -$&-9;-~]";

/// How many slots of a cluster the indexes are spread over. Changing it loses sight of them.
pub(super) const SHARDS: u8 = 32;

/// The names of the keys. No two things have the same, whatever their ids are.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) user: String,
    email: String,
    account: String,
    session: String,
    token: String,
    /// Before the keys that only we know.
    index: String,
    /// `{session, account}`: where the adapter keeps which was the last of a user.
    last: Option<(String, String)>,
}

/// The keys of what is known about the sessions of one user. They lie in one slot of a cluster.
#[derive(Debug, Clone)]
pub(super) struct UserSessions {
    /// A sorted set: the sessions by when they were begun.
    pub(super) sessions: String,
    /// A sorted set: the sessions that are being begun or ended, by since when.
    pub(super) moving: String,
    /// A sorted set for many users: when sessions end.
    pub(super) ends: String,
}

impl Keys {
    /// The layout of our own.
    pub(super) fn namespace(name: &str) -> Self {
        let name = encode_all(name);
        let prefix = |kind: &str| format!("{name}:{kind}:");
        Self {
            user: prefix("user"),
            email: prefix("email"),
            account: prefix("account"),
            session: prefix("session"),
            token: prefix("token"),
            index: format!("{name}:"),
            last: None,
        }
    }

    pub(super) fn upstash(keys: &UpstashKeys) -> Self {
        let prefix = |kind: &str| format!("{}{kind}", keys.base);
        Self {
            user: prefix(&keys.user),
            email: prefix(&keys.email),
            account: prefix(&keys.account),
            session: prefix(&keys.session),
            token: prefix(&keys.token),
            index: prefix("portcullis:"),
            last: Some((prefix(&keys.session_by_user), prefix(&keys.account_by_user))),
        }
    }

    /// Whether Node reads and writes the same keys.
    pub(super) fn shared_with_node(&self) -> bool {
        self.last.is_some()
    }

    /// A part that is followed by others, or that what follows the same prefix could be taken for.
    fn part(&self, text: &str) -> String {
        utf8_percent_encode(text, if self.shared_with_node() { SEPARATORS } else { ALL }).to_string()
    }

    /// The characters that [`part`](Self::part) encodes, for the script that finds a user by itself.
    pub(super) fn encoded_in_lua(&self) -> &'static str {
        if self.shared_with_node() { SEPARATORS_IN_LUA } else { ALL_IN_LUA }
    }

    /// A part at the end, behind a prefix that nothing else has.
    fn tail(&self, text: &str) -> String {
        if self.shared_with_node() { text.to_owned() } else { encode_all(text) }
    }

    pub(super) fn user(&self, id: &str) -> String {
        format!("{}{}", self.user, self.part(id))
    }

    pub(super) fn email(&self, email: &str) -> String {
        format!("{}{}", self.email, self.tail(email))
    }

    pub(super) fn account(&self, provider: &str, id: &str) -> String {
        format!("{}{}:{}", self.account, self.part(provider), self.tail(id))
    }

    pub(super) fn session(&self, key: &str) -> String {
        format!("{}{}", self.session, self.part(key))
    }

    pub(super) fn token(&self, identifier: &str, token: &str) -> String {
        format!("{}{}:{}", self.token, self.tail(identifier), self.part(token))
    }

    /// Where the adapter keeps the key of the last session of a user.
    pub(super) fn last_session(&self, user: &str) -> Option<String> {
        self.last.as_ref().map(|(session, _)| format!("{session}{}", self.part(user)))
    }

    /// Where the adapter keeps the key of the last account of a user.
    pub(super) fn last_account(&self, user: &str) -> Option<String> {
        self.last.as_ref().map(|(_, account)| format!("{account}{}", self.part(user)))
    }

    /// The key of the session which lies under this key of Redis.
    pub(super) fn session_of(&self, redis_key: &str) -> Option<String> {
        let part = redis_key.strip_prefix(&self.session)?;
        Some(percent_decode_str(part).decode_utf8().ok()?.into_owned())
    }

    pub(super) fn user_sessions(&self, user: &str) -> UserSessions {
        let shard = shard_of(user);
        let name = encode_all(user);
        UserSessions {
            sessions: format!("{}{{{shard}}}:sessions:{name}", self.index),
            moving: format!("{}{{{shard}}}:moving:{name}", self.index),
            ends: self.session_ends(shard),
        }
    }

    /// A sorted set: when the sessions of the users of this shard end.
    pub(super) fn session_ends(&self, shard: u8) -> String {
        format!("{}{{{shard}}}:session-ends", self.index)
    }

    /// A sorted set: the accounts of a user by when they were linked.
    pub(super) fn user_accounts(&self, user: &str) -> String {
        format!("{}{{{}}}:accounts:{}", self.index, shard_of(user), encode_all(user))
    }

    /// A sorted set: when the tokens of this shard end.
    pub(super) fn token_ends(&self, shard: u8) -> String {
        format!("{}{{{shard}}}:token-ends", self.index)
    }

    /// Two sorted sets of what is revoked: by when it was, and by until when that counts.
    pub(super) fn revocations(&self) -> [String; 2] {
        ["made", "ends"].map(|kind| format!("{}{{revocations}}:{kind}", self.index))
    }
}

/// How a session stands among the ends of its shard.
pub(super) fn pair(first: &str, second: &str) -> String {
    format!("{}:{second}", encode_all(first))
}

/// The two texts of a [`pair`].
pub(super) fn split(pair: &str) -> Option<(String, &str)> {
    let (first, second) = pair.split_once(':')?;
    Some((percent_decode_str(first).decode_utf8().ok()?.into_owned(), second))
}

pub(super) fn encode_all(text: &str) -> String {
    utf8_percent_encode(text, ALL).to_string()
}

pub(super) fn shard_of(text: &str) -> u8 {
    Sha256::digest(text)[0] % SHARDS
}
