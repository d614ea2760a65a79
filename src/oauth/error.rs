//! Why a provider's answer does not sign anybody in: for the log.

use std::fmt;

use crate::{codec::CodecError, http_client::HttpError};

/// What went wrong at a provider. Browsers are told a code, and nothing of this.
#[derive(Debug, Clone)]
pub(crate) struct OAuthError {
    kind: OAuthErrorKind,
    problem: String,
}

/// The kinds of [`OAuthError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OAuthErrorKind {
    /// The provider cannot be reached, or is out of order.
    Unavailable,
    /// It has answered with an error.
    Refused,
    /// With `invalid_grant` (RFC 6749 section 5.2), or what it says in place of that: it will never take this code or this
    /// refresh token.
    GrantRefused,
    /// Its answer is none that the specifications know, or not about this sign-in.
    Invalid,
}

impl OAuthError {
    pub(crate) fn unavailable(problem: impl Into<String>) -> Self {
        Self { kind: OAuthErrorKind::Unavailable, problem: problem.into() }
    }

    pub(crate) fn refused(problem: impl Into<String>) -> Self {
        Self { kind: OAuthErrorKind::Refused, problem: problem.into() }
    }

    pub(crate) fn grant_refused(problem: impl Into<String>) -> Self {
        Self { kind: OAuthErrorKind::GrantRefused, problem: problem.into() }
    }

    pub(crate) fn invalid(problem: impl Into<String>) -> Self {
        Self { kind: OAuthErrorKind::Invalid, problem: problem.into() }
    }

    /// What a provider has answered to an authorization request (RFC 6749 section 4.1.2.1).
    pub(crate) fn of_answer(error: &str, description: Option<&str>) -> Self {
        let (error, description) = (quoted(error), quoted(description.unwrap_or("no description")));
        Self::refused(format!("the provider answered {error} ({description})"))
    }

    pub(crate) fn kind(&self) -> OAuthErrorKind {
        self.kind
    }

    /// Says what it was about.
    pub(super) fn about(mut self, what: &str) -> Self {
        self.problem = format!("{what}: {}", self.problem);
        self
    }
}

impl From<HttpError> for OAuthError {
    fn from(error: HttpError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<CodecError> for OAuthError {
    fn from(error: CodecError) -> Self {
        if error.is_no_keys() {
            return Self::unavailable(error.to_string());
        }
        if error.is_header() {
            return Self::invalid(
                "its header names an algorithm that is not taken: see OAuth::id_token_algorithms",
            );
        }
        if error.is_authentication() {
            return Self::invalid("its signature is not of the provider's keys");
        }
        Self::invalid(error.to_string())
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

/// What another server has sent, for the log: visible characters, and not many.
pub(crate) fn quoted(text: &str) -> String {
    text.chars().filter(|character| character.is_ascii_graphic() || *character == ' ').take(200).collect()
}
