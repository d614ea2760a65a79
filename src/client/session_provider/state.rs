//! What a provider says.

use std::{fmt, sync::Arc};

use crate::{
    client::{ClientError, Session},
    session::SessionUser,
};

/// What [`SessionProvider`](super::SessionProvider) knows.
#[non_exhaustive]
pub struct SessionState<U = SessionUser> {
    /// Whether somebody is signed in.
    pub status: SessionStatus,
    /// The session, if somebody is.
    pub data: Option<Arc<Session<U>>>,
    /// Why the last time the session was read there was no answer. What is said beside it is what was known before.
    pub error: Option<ClientError>,
}

/// Whether somebody is signed in.
///
/// ```
/// assert_eq!(portcullis::client::SessionStatus::Authenticated.to_string(), "authenticated");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// It is not known yet; or nobody is, and whoever requires somebody has been called.
    Loading,
    /// Somebody is.
    Authenticated,
    /// Nobody is, as far as is known.
    Unauthenticated,
}

impl<U> SessionState<U> {
    pub(super) fn loading() -> Self {
        Self { status: SessionStatus::Loading, data: None, error: None }
    }

    pub(super) fn of(session: Option<Arc<Session<U>>>) -> Self {
        let status =
            if session.is_some() { SessionStatus::Authenticated } else { SessionStatus::Unauthenticated };
        Self { status, data: session, error: None }
    }
}

/// As npm writes it: `loading`, `authenticated`, `unauthenticated`.
impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loading => "loading",
            Self::Authenticated => "authenticated",
            Self::Unauthenticated => "unauthenticated",
        })
    }
}

impl<U> Clone for SessionState<U> {
    fn clone(&self) -> Self {
        Self { status: self.status, data: self.data.clone(), error: self.error.clone() }
    }
}

impl<U> fmt::Debug for SessionState<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionState")
            .field("status", &self.status)
            .field("data", &self.data)
            .field("error", &self.error)
            .finish()
    }
}
