//! Why there is no response.

use std::{error::Error as StdError, fmt};

use crate::error::BoxError;

/// A request that got no whole response. Neither text shows the request: URLs may hold secrets.
///
/// ```
/// use portcullis::http_client::{HttpError, HttpErrorKind};
///
/// let error = HttpError::unavailable("connection refused");
/// assert_eq!(error.kind(), HttpErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "the server cannot be reached, or broke off: connection refused");
/// ```
#[derive(Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    cause: Option<BoxError>,
}

/// The kinds of [`HttpError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The server cannot be reached, is not who it should be, or broke off.
    Unavailable,
    /// It took too long.
    Timeout,
    /// The response is longer than is read.
    TooLarge,
    /// Nothing was sent: the URL is not one that may be asked.
    RefusedUrl,
}

impl HttpError {
    /// The server cannot be reached, is not who it should be, or broke off. What `cause` says is logged.
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self { kind: HttpErrorKind::Unavailable, cause: Some(cause.into()) }
    }

    /// It took too long.
    pub const fn timeout() -> Self {
        Self { kind: HttpErrorKind::Timeout, cause: None }
    }

    /// The response is longer than is read.
    pub const fn too_large() -> Self {
        Self { kind: HttpErrorKind::TooLarge, cause: None }
    }

    /// The URL is not one that may be asked, and why.
    pub fn refused_url(why: impl Into<BoxError>) -> Self {
        Self { kind: HttpErrorKind::RefusedUrl, cause: Some(why.into()) }
    }

    /// Which kind it is.
    pub const fn kind(&self) -> HttpErrorKind {
        self.kind
    }
}

/// With its causes: they say which part of the way is broken.
impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HttpErrorKind::Unavailable => "the server cannot be reached, or broke off",
            HttpErrorKind::Timeout => "the server took too long",
            HttpErrorKind::TooLarge => "the response is too long",
            HttpErrorKind::RefusedUrl => "the URL is refused",
        })?;
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for HttpError {}
