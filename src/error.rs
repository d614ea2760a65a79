//! What can go wrong, and what each side is told of it.
//!
//! Operators read [`ConfigError`] at start-up and the log later; clients see an `ErrorCode`, whose
//! values are those of Auth.js (`docs/protocol.md` section 13), and never a cause.

use std::{borrow::Cow, error::Error as StdError, fmt};

/// The error type of the application's callbacks: anything that is an error, as `?` makes it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Everything that is wrong with a configuration, each problem with its remedy.
///
/// [`AuthBuilder::build`](crate::AuthBuilder::build) collects all of them, so that one start shows them all.
pub struct ConfigError {
    problems: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl ConfigError {
    pub(crate) fn none() -> Self {
        Self { problems: Vec::new() }
    }

    pub(crate) fn one(problem: impl Into<Cow<'static, str>>, remedy: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::none();
        error.add(problem, remedy);
        error
    }

    pub(crate) fn add(
        &mut self,
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) {
        self.problems.push((problem.into(), remedy.into()));
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.problems.append(&mut other.problems);
    }

    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.problems.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The problems and their remedies, in the order in which they were found.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &str)> {
        self.problems.iter().map(|(problem, remedy)| (problem.as_ref(), remedy.as_ref()))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [(problem, remedy)] => write!(f, "portcullis configuration: {problem}; {remedy}"),
            problems => {
                write!(f, "portcullis configuration has {} problems:", problems.len())?;
                problems.iter().try_for_each(|(problem, remedy)| write!(f, "\n  - {problem}; {remedy}"))
            }
        }
    }
}

/// As for people: this is what a `main` that returns it prints.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for ConfigError {}

/// Why there is no answer to "who is signed in?". This is not the same as "nobody is".
///
/// An error is not a session, nor can it be taken for one:
///
/// ```compile_fail,E0308
/// let request = http::Request::new(());
/// if portcullis::get_server_session(&request) {}
/// ```
///
/// ```
/// use portcullis::get_server_session;
///
/// // No AuthLayer has seen this request.
/// let error = get_server_session(&http::Request::new(())).unwrap_err();
/// assert_eq!(error.status(), http::StatusCode::INTERNAL_SERVER_ERROR);
/// assert!(error.to_string().contains("AuthLayer"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionError {
    kind: SessionErrorKind,
}

/// The kinds of [`SessionError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// No [`AuthLayer`](crate::AuthLayer) stands in front of this service.
    MissingLayer,
    /// A callback of the application failed, panicked or took too long.
    Callback,
    /// What sessions are judged by cannot be reached: the store, the list of revocations, the keys of an issuer. Trying
    /// again may help.
    Unavailable,
    /// The session is there but does not have the shape that the handler asked for.
    Shape,
    /// A guard asks how long ago the user signed in, and tokens do not say.
    UnknownAuthTime,
    /// The session cannot be changed here: it came in `Authorization`, or this service only verifies.
    ReadOnly,
    /// Sessions live in tokens here, or there is no store, and what was asked for needs one.
    NoStore,
}

impl SessionError {
    pub(crate) const fn new(kind: SessionErrorKind) -> Self {
        Self { kind }
    }

    /// Which kind it is.
    pub fn kind(&self) -> SessionErrorKind {
        self.kind
    }

    /// The status that a response for it has: 503 where trying again may help, else 500.
    pub fn status(&self) -> http::StatusCode {
        match self.kind {
            SessionErrorKind::Callback | SessionErrorKind::Unavailable => {
                http::StatusCode::SERVICE_UNAVAILABLE
            }
            _ => http::StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable code that a client is told.
    pub fn code(&self) -> &'static str {
        match self.kind {
            SessionErrorKind::MissingLayer => "MissingAuthLayer",
            SessionErrorKind::Callback => "SessionCallbackError",
            SessionErrorKind::Unavailable => "SessionUnavailable",
            SessionErrorKind::Shape => "SessionShapeError",
            SessionErrorKind::UnknownAuthTime => "UnknownAuthTime",
            SessionErrorKind::ReadOnly => "SessionReadOnly",
            SessionErrorKind::NoStore => "NoSessionStore",
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SessionErrorKind::MissingLayer => {
                "no AuthLayer in front of this service: put one around the whole router or server, outside the routes \
                 and guards that need it (Axum: the last `.layer(AuthLayer::new(auth))`; Tonic: on `Server::builder()`)"
            }
            SessionErrorKind::Callback => "a session callback of the application failed; see the log",
            SessionErrorKind::Unavailable => "sessions cannot be judged at present; see the log",
            SessionErrorKind::Shape => {
                "the session does not have the shape that this handler asks for; see the log"
            }
            SessionErrorKind::UnknownAuthTime => {
                "a guard asks how long ago the user signed in, and the token does not say: add \
                 `.record_auth_time(true)` to the Auth that signs in"
            }
            SessionErrorKind::NoStore => {
                "what was asked for needs a store, and there is none, or sessions live in tokens: add `.store(..)` to the \
                 Auth, or `.revocation(..)` to end tokens"
            }
            SessionErrorKind::ReadOnly => {
                "this session cannot be changed here: it came in `Authorization`, or this is a verifier; change \
                 it at the site that made it"
            }
        })
    }
}

impl StdError for SessionError {}

/// The `error` values that clients see (`docs/protocol.md` section 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// Wrong credentials; v5 clients are told the code of the `Rejection` too.
    CredentialsSignin {
        /// The public code, `credentials` unless the application chose one.
        code: Cow<'static, str>,
    },
    /// Somebody else has the account, or its e-mail address.
    AccountNotLinked,
    /// The `sign_in` callback refused.
    AccessDenied,
    /// Something on this side: a callback failed, a request that no flow makes.
    Configuration,
    /// A form without a verified CSRF token.
    MissingCsrf,
    /// No mail could be sent, or there was no address.
    EmailSignin,
    /// A link that was used, is too old, or never was.
    Verification,
    /// A link without a token; each dialect has a word of its own for it.
    MissingToken {
        /// The word.
        code: &'static str,
    },
    /// A fault in the middle of a sign-in.
    Callback,
    /// The store failed when a user was to be made.
    CreateAccount {
        /// What the dialects call it, by the kind of the account.
        code: &'static str,
    },
    /// A sign-in at a provider could not be begun.
    #[cfg(feature = "oauth")]
    OAuthSignin,
    /// The answer of a provider does not sign anybody in.
    #[cfg(feature = "oauth")]
    OAuthCallback,
    /// A provider answered with an error: its user has said no, for instance.
    #[cfg(feature = "oauth")]
    Provider {
        /// What the dialect calls it.
        code: &'static str,
    },
}

impl ErrorCode {
    /// The value of the `error` query parameter.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::CredentialsSignin { .. } => "CredentialsSignin",
            Self::AccountNotLinked => "OAuthAccountNotLinked",
            Self::AccessDenied => "AccessDenied",
            Self::Configuration => "Configuration",
            Self::MissingCsrf => "MissingCSRF",
            Self::EmailSignin => "EmailSignin",
            Self::Verification => "Verification",
            Self::MissingToken { code } | Self::CreateAccount { code } => code,
            Self::Callback => "Callback",
            #[cfg(feature = "oauth")]
            Self::OAuthSignin => "OAuthSignin",
            #[cfg(feature = "oauth")]
            Self::OAuthCallback => "OAuthCallback",
            #[cfg(feature = "oauth")]
            Self::Provider { code } => code,
        }
    }

    /// Whether v5 tells it apart from `Configuration`.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Self::CredentialsSignin { .. }
            | Self::AccountNotLinked
            | Self::AccessDenied
            | Self::Configuration
            | Self::MissingCsrf
            | Self::Verification => true,
            Self::EmailSignin | Self::MissingToken { .. } | Self::Callback | Self::CreateAccount { .. } => {
                false
            }
            #[cfg(feature = "oauth")]
            Self::Provider { .. } => true,
            #[cfg(feature = "oauth")]
            Self::OAuthSignin | Self::OAuthCallback => false,
        }
    }

    /// Whether the sign-in page explains it; the error page does otherwise.
    pub(crate) fn is_shown_at_sign_in(&self) -> bool {
        match self {
            Self::CredentialsSignin { .. } | Self::AccountNotLinked | Self::MissingCsrf => true,
            #[cfg(feature = "oauth")]
            Self::Provider { .. } => true,
            _ => false,
        }
    }
}
