//! Why a token was not opened. For the log: outside, all failures look alike.

use std::{error::Error as StdError, fmt};

/// A token that was not opened, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecError {
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TooLong,
    Malformed,
    Header,
    Key,
    UnknownKey,
    NoKeys,
    Authentication,
    Unavailable,
}

impl CodecError {
    pub(super) const fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// For codecs of the application: the token is not one of theirs.
    pub const fn refused() -> Self {
        Self::new(Kind::Authentication)
    }

    /// For codecs of the application: no token can be made.
    pub const fn unavailable() -> Self {
        Self::new(Kind::Unavailable)
    }

    /// For codecs of the application: the token names a key that is not known, or not yet.
    pub const fn unknown_key() -> Self {
        Self::new(Kind::UnknownKey)
    }

    /// For codecs of the application: there are no keys to judge by at present.
    pub const fn no_keys() -> Self {
        Self::new(Kind::NoKeys)
    }

    /// Whether newer keys might open the token: worth a [`Codec::refresh`](super::Codec::refresh).
    ///
    /// ```
    /// use portcullis::codec::CodecError;
    ///
    /// assert!(CodecError::unknown_key().is_unknown_key() && CodecError::no_keys().is_unknown_key());
    /// assert!(!CodecError::refused().is_unknown_key());
    /// ```
    pub const fn is_unknown_key(&self) -> bool {
        matches!(self.kind, Kind::UnknownKey | Kind::NoKeys)
    }

    /// Whether no token at all can be judged because the keys could not be read. This is a fault on this side
    /// and says nothing of the token: "unavailable", not "nobody is signed in".
    ///
    /// ```
    /// use portcullis::codec::CodecError;
    ///
    /// assert!(CodecError::no_keys().is_no_keys() && !CodecError::unknown_key().is_no_keys());
    /// ```
    pub const fn is_no_keys(&self) -> bool {
        matches!(self.kind, Kind::NoKeys)
    }
}

#[cfg(feature = "oauth")]
impl CodecError {
    /// Whether it is about the token's header: such as an algorithm that is not one of those that were configured.
    pub(crate) const fn is_header(&self) -> bool {
        matches!(self.kind, Kind::Header)
    }

    /// Whether the token was made by somebody else, or changed.
    pub(crate) const fn is_authentication(&self) -> bool {
        matches!(self.kind, Kind::Authentication)
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::TooLong => "the token is longer than a session can be",
            Kind::Malformed => "the text is no token of this kind",
            Kind::Header => "the token's header asks for something that is not configured",
            Kind::Key => "the token names a secret that is not listed, or names none where several would fit",
            Kind::UnknownKey => "the token was made with a key that is not in the key set",
            Kind::NoKeys => "there is no key set: it could not be read so far, or is too old; see the log",
            Kind::Authentication => "the token was not made with the configured secret, or was changed",
            Kind::Unavailable => {
                "no token can be made: the codec only reads, or the system has no random numbers"
            }
        })
    }
}

impl StdError for CodecError {}
