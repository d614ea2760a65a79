//! What the tokens of a request come to.

use std::fmt;

use super::SealedSession;

/// What one token came to.
pub(super) enum Attempt {
    Opened(SealedSession),
    Refused,
    Locked(Locked),
}

impl Attempt {
    /// The session; the first token that waits for its key is noted.
    pub(super) fn or_note(self, first: &mut Option<Locked>) -> Option<SealedSession> {
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
    /// Nobody, by the keys that are known; newer ones may be had.
    Locked(Locked),
    Session(SealedSession),
    /// Cookies that verify and are about different people: one was put there by somebody else, such as a
    /// sibling domain, and which one cannot be told. They are not removed either, for a removal might reach
    /// only the right one.
    Disputed,
}

impl Found {
    pub(super) fn of(mut sessions: impl Iterator<Item = SealedSession>) -> Self {
        let Some(first) = sessions.next() else { return Self::Nobody };
        for other in sessions {
            if first.subject() != other.subject() {
                tracing::warn!(
                    "the session cookies of a request are about different people: it is anonymous"
                );
                return Self::Disputed;
            }
        }
        Self::Session(first)
    }

    /// A token that waits for its key counts for nothing beside one that opens.
    pub(super) fn or_locked(self, locked: Option<Locked>) -> Self {
        match (self, locked) {
            (Self::Nobody, Some(locked)) => Self::Locked(locked),
            (found, _) => found,
        }
    }

    pub(crate) fn session(self) -> Option<SealedSession> {
        match self {
            Self::Session(sealed) => Some(sealed),
            Self::Nobody | Self::Locked(_) | Self::Disputed => None,
        }
    }
}
