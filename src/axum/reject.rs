use std::{error::Error as StdError, fmt};

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use crate::{auth::SignInError, error::SessionError, guard};

/// Why an extractor gave nothing. As a response: 401, 403, 503 or 500, as JSON with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthRejection {
    /// Nobody is signed in.
    NotSignedIn,
    /// Somebody is signed in, who may not do that.
    Forbidden,
    /// It cannot be known who is.
    Session(SessionError),
}

impl From<SessionError> for AuthRejection {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        let response = match &self {
            Self::NotSignedIn => guard::unauthorized(),
            Self::Forbidden => guard::forbidden(),
            Self::Session(error) => guard::failure(error),
        };
        response.map(Body::from)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        AuthRejection::from(self).into_response()
    }
}

/// 403 for a refusal, 500 for a callback that failed.
impl IntoResponse for SignInError {
    fn into_response(self) -> Response {
        guard::sign_in_refused(&self).map(Body::from)
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSignedIn => f.write_str("nobody is signed in"),
            Self::Forbidden => f.write_str("this user may not do that"),
            Self::Session(error) => error.fmt(f),
        }
    }
}

impl StdError for AuthRejection {}
