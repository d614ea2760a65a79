use std::{error::Error as StdError, fmt};

use crate::error::BoxError;

/// Why a store could not do what it was asked.
///
/// A row that is not there is no error: the methods answer `None` or `false`.
///
/// ```
/// use portcullis::store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::unavailable("connection refused");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "the store is unavailable");
/// // With its cause: for the log, and for whoever starts the application.
/// assert_eq!(format!("{error:?}"), "the store is unavailable: connection refused");
/// ```
pub struct StoreError {
    kind: StoreErrorKind,
    source: BoxError,
}

/// The kinds of [`StoreError`]: what a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, takes too long, or has no connection left. Nothing is known, so nobody is signed
    /// out for it; trying again may help.
    Unavailable,
    /// What was to be made is there already, or is made for something that is not.
    Conflict,
    /// What is stored cannot be read: another program has written it, or the tables are not what they should be.
    Corrupt,
    /// It is asked for in a way that cannot be carried out, such as by a URL that names no store. Found when it is
    /// opened; trying again does not help.
    Configuration,
}

impl StoreError {
    /// An error of this kind. `source` is for the log: it may name hosts and tables, and must not hold what
    /// authenticates, such as the key of a session.
    pub fn new(kind: StoreErrorKind, source: impl Into<BoxError>) -> Self {
        Self { kind, source: source.into() }
    }

    /// An error of the kind [`Unavailable`](StoreErrorKind::Unavailable).
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::new(StoreErrorKind::Unavailable, source)
    }

    /// An error of the kind [`Conflict`](StoreErrorKind::Conflict).
    pub fn conflict(source: impl Into<BoxError>) -> Self {
        Self::new(StoreErrorKind::Conflict, source)
    }

    /// An error of the kind [`Corrupt`](StoreErrorKind::Corrupt).
    pub fn corrupt(source: impl Into<BoxError>) -> Self {
        Self::new(StoreErrorKind::Corrupt, source)
    }

    /// An error of the kind [`Configuration`](StoreErrorKind::Configuration). `source` says what to do.
    pub fn configuration(source: impl Into<BoxError>) -> Self {
        Self::new(StoreErrorKind::Configuration, source)
    }

    /// Which kind it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

/// With its cause, as a `main` that returns it prints it.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}: {}", self.source)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the store is unavailable",
            StoreErrorKind::Conflict => "the store has this already, or not what it is made for",
            StoreErrorKind::Corrupt => "the store holds what cannot be read",
            StoreErrorKind::Configuration => "the store cannot be opened as it is configured",
        })
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
