//! Why a call of the client has no result.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

use http::StatusCode;

use crate::{error::BoxError, http_client::HttpError};

/// Why a call of [`Client`](super::Client) has no result. The npm clients log such things and return `null`, which
/// here means that nobody is signed in and nothing else.
///
/// Neither text shows what was sent or received: both may hold secrets.
#[derive(Clone)]
pub struct ClientError {
    kind: ClientErrorKind,
    what: Cow<'static, str>,
    status: Option<StatusCode>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kinds of [`ClientError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// There was no whole response, it came too late to count, or the server could not look for the session: trying again
    /// may help.
    Unavailable,
    /// The server answered, with a status that is none of success.
    Status,
    /// The server's answer is none of Auth.js, or the session's user is not of the type that was asked for.
    Shape,
    /// The server does not take the CSRF token that it has just given: its cookies do not get back to it, or it has
    /// several secrets.
    Csrf,
    /// Servers of this dialect cannot do that.
    Unsupported,
    /// The link was asked for by somebody else, and the site asks whether it is meant: so ask the user, and then
    /// [`confirm_sign_in`](super::Client::confirm_sign_in).
    Unconfirmed,
    /// The browser did not bring the user back: they gave up, took too long, or it could not be opened.
    Browser,
    /// The cookies could not be read from where they are kept.
    Storage,
}

impl ClientError {
    fn new(kind: ClientErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, what: what.into(), status: None, cause: None }
    }

    fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    pub(super) fn unavailable(place: &str, error: HttpError) -> Self {
        Self::new(ClientErrorKind::Unavailable, format!("{place} gave no answer")).because(error)
    }

    pub(super) fn overtaken(place: &str) -> Self {
        let what = format!(
            "somebody signed in or out, or changed the session, while {place} was asked to change it: ask again"
        );
        Self::new(ClientErrorKind::Unavailable, what)
    }

    pub(super) fn session_unknown(place: &str) -> Self {
        let what = format!(
            "{place} left a session's cookie and said nobody, so it could not tell: its store may be away, a callback of it fails, or the cookies are of two people; its log says which"
        );
        Self::new(ClientErrorKind::Unavailable, what)
    }

    pub(super) fn unconfirmed(place: &str) -> Self {
        let what = format!(
            "{place} asks whether a link is meant that was asked for elsewhere: confirm_sign_in, if the user says so"
        );
        Self::new(ClientErrorKind::Unconfirmed, what)
    }

    pub(super) fn of_status(place: &str, status: StatusCode) -> Self {
        let what = format!(
            "{place} answered {status}: is the base URL, with its base path, that of an Auth.js server?"
        );
        Self { status: Some(status), ..Self::new(ClientErrorKind::Status, what) }
    }

    pub(super) fn shape(place: &str, expected: &str) -> Self {
        let what = format!(
            "{place} did not answer {expected}: is the base URL, with its base path, that of an Auth.js server?"
        );
        Self::new(ClientErrorKind::Shape, what)
    }

    pub(super) fn user_shape(error: &serde_json::Error, wanted: &str) -> Self {
        let what = format!(
            "the session does not fit the type {wanted} ({}): it has what the server's `session` callback shows, and \
             members that may be missing are an `Option`",
            fault(error)
        );
        Self::new(ClientErrorKind::Shape, what)
    }

    pub(super) fn token_refused(place: &str) -> Self {
        let what = format!(
            "{place} does not take the CSRF token that the server has given: do its cookies get back to it, and have all \
             its instances the same secret?"
        );
        Self::new(ClientErrorKind::Csrf, what)
    }

    pub(super) fn unsupported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ClientErrorKind::Unsupported, what)
    }

    pub(super) fn browser(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ClientErrorKind::Browser, what)
    }

    pub(super) fn browser_failed(what: &'static str, cause: impl Into<BoxError>) -> Self {
        Self::new(ClientErrorKind::Browser, what).because(cause)
    }

    pub(super) fn storage(what: &'static str, cause: impl Into<BoxError>) -> Self {
        Self::new(ClientErrorKind::Storage, what).because(cause)
    }

    /// Which kind it is.
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }

    /// What the server answered with, if it was that which is wrong.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }
}

/// What the type has wanted, which is of the program. The rest of the error's text quotes the value.
fn fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let begins = |start| text.starts_with(start);
    match text.rsplit_once(", expected ") {
        _ if begins("missing field `") => text,
        Some((_, expected)) if begins("invalid type: ") || begins("invalid value: ") => {
            format!("expected {expected}")
        }
        _ => format!("{:?} error", error.classify()),
    }
}

/// As for people: this is what a `main` that returns it prints.
impl fmt::Debug for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl StdError for ClientError {}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::ClientError;

    #[test]
    fn a_type_that_does_not_fit_is_told_what_it_wants_and_no_value() {
        #[derive(Debug, Deserialize)]
        struct Member {
            #[serde(rename = "id")]
            _id: u64,
        }
        for (user, told) in [
            (json!({}), "missing field `id`"),
            (json!({ "id": "SECRET, expected SECRET" }), "expected u64"),
            (json!({ "id": -4096 }), "expected u64"),
        ] {
            let error = serde_json::from_value::<Member>(user).unwrap_err();
            let text = ClientError::user_shape(&error, "Member").to_string();
            assert!(text.contains(&format!("({told})")), "{text}");
            assert!(!text.contains("SECRET") && !text.contains("4096"), "{text}");
        }
    }
}
