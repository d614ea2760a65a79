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
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::TooLong => "the token is longer than a session can be",
            Kind::Malformed => "the text is no token of this kind",
            Kind::Header => "the token's header asks for something that is not configured",
            Kind::Key => "the token was made with a secret that is not listed",
            Kind::Authentication => "the token was not made with the configured secret, or was changed",
            Kind::Unavailable => {
                "no token can be made: the codec only reads, or the system has no random numbers"
            }
        })
    }
}

impl StdError for CodecError {}
