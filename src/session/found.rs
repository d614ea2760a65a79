//! What the tokens of a request come to.

use std::fmt;

use super::LiveSession;

/// What one token came to.
pub(super) enum Attempt {
    Opened(LiveSession),
    Refused,
    Locked(Locked),
}

impl Attempt {
    /// The session; the first token that waits for its key is noted.
    pub(super) fn or_note(self, first: &mut Option<Locked>) -> Option<LiveSession> {
        match self {
            Self::Opened(session) => return Some(session),
            Self::Refused => {}
            Self::Locked(locked) => {
                first.get_or_insert(locked);
            }
        }
        None
    }
}

/// What has to be waited for.
#[derive(Debug)]
pub(crate) enum Later {
    /// The key of a token.
    Locked(Locked),
    /// The rows of these tokens.
    Stored(StoredTokens),
    /// Whether this session was revoked.
    Unchecked(Box<LiveSession>),
}

/// Tokens of the request that may name rows of the store; rarely more than one.
pub(crate) struct StoredTokens {
    pub(super) first: String,
    pub(super) rest: Vec<String>,
}

/// How many.
impl fmt::Debug for StoredTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoredTokens").field(&(1 + self.rest.len())).finish()
    }
}

/// A token whose key is not known, or not yet.
pub(crate) struct Locked {
    pub(super) token: String,
    pub(super) reader: usize,
    /// No token at all can be judged: the keys could not be read.
    pub(crate) keyless: bool,
}

/// Without the token.
impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked").field("keyless", &self.keyless).finish_non_exhaustive()
    }
}

/// Whose session the cookies of a request are.
#[derive(Debug)]
pub(crate) enum Found {
    Nobody,
    /// That takes waiting for something.
    Later(Later),
    /// It cannot be known now: neither signed in nor signed out.
    Unavailable,
    Session(LiveSession),
    /// Cookies that verify and are about different people: one was put there by somebody else, such as a
    /// sibling domain, and which one cannot be told. They are not removed either, for a removal might reach
    /// only the right one.
    Disputed,
}

impl Found {
    /// One more session was found: the first counts if both are about the same person.
    ///
    /// In place, as a session is some hundred bytes that each request would move about.
    pub(super) fn add(&mut self, other: LiveSession) {
        match self {
            Self::Nobody => *self = Self::Session(other),
            Self::Session(first) if !is_same_person(first, &other) => {
                tracing::warn!(
                    "the session cookies of a request are about different people: it is anonymous"
                );
                *self = Self::Disputed;
            }
            _ => {}
        }
    }

    /// A token that waits for its key counts for nothing beside one that opens.
    pub(super) fn or_locked(self, locked: Option<Locked>) -> Self {
        match (self, locked) {
            (Self::Nobody, Some(locked)) => Self::Later(Later::Locked(locked)),
            (found, _) => found,
        }
    }
}

/// One who is in the store and one who is not are two, whatever their ids.
fn is_same_person(one: &LiveSession, other: &LiveSession) -> bool {
    one.subject() == other.subject() && one.is_unstored() == other.is_unstored()
}
