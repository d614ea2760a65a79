//! Asking a request who is signed in. Works behind any framework; the extractors come here too.

use std::borrow::Cow;

use http::{Request, request::Parts};
use serde::de::DeserializeOwned;

use super::{bearer, scope};
use crate::{
    auth::{Auth, AuthContext, Token},
    cookie::CookieHeaders,
    error::{SessionError, SessionErrorKind},
    head::Head,
    session::{Found, Session},
};

/// Anything with the headers and extensions of a request: [`http::Request`] and [`Parts`].
pub trait AuthRequest: sealed::Sealed {
    #[doc(hidden)]
    fn head(&self) -> Head<'_>;
}

impl<B> AuthRequest for Request<B> {
    fn head(&self) -> Head<'_> {
        self.into()
    }
}

impl AuthRequest for Parts {
    fn head(&self) -> Head<'_> {
        self.into()
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl<B> Sealed for http::Request<B> {}
    impl Sealed for http::request::Parts {}
}

/// The session of a request, as clients see it; `None` if nobody is signed in. Looks at the session cookie
/// only (`docs/protocol.md` section 16).
///
/// For a user type of one's own: [`AuthContext::session`].
///
/// # Errors
///
/// When no [`AuthLayer`](crate::AuthLayer) has seen the request, or a callback failed. That is not the same
/// as "nobody": refuse then.
pub fn get_server_session(request: &impl AuthRequest) -> Result<Option<Session>, SessionError> {
    match Lookup::of(request)? {
        Lookup::Context(context) => context.plain_session(),
        Lookup::Anonymous => Ok(None),
    }
}

/// The decoded token of a request: from the session cookie, or else from `Authorization: Bearer`; `None` if
/// neither holds a valid one. `C` is [`Claims`](crate::Claims) or a type of one's own.
///
/// A cookie that does not verify gives `None`, whatever the header says, as in Auth.js.
///
/// # Errors
///
/// When no [`AuthLayer`](crate::AuthLayer) has seen the request, or the claims are not a `C`.
pub fn get_token<C: DeserializeOwned>(request: &impl AuthRequest) -> Result<Option<Token<C>>, SessionError> {
    Lookup::of(request)?.token(request)
}

/// The token of a request as it was sent, not opened: from the session cookie, or else from
/// `Authorization: Bearer`. For handing it on to another service.
///
/// # Errors
///
/// When no [`AuthLayer`](crate::AuthLayer) has seen the request.
pub fn get_raw_token(request: &impl AuthRequest) -> Result<Option<String>, SessionError> {
    let lookup = Lookup::of(request)?;
    lookup.consult();
    let head = request.head();
    let auth = lookup.auth()?;
    let https = lookup.is_https(&auth, head);
    if let Some(token) = auth.settings.strategy.raw_cookie(&CookieHeaders::of(head.headers), https) {
        return Ok(Some(token));
    }
    lookup.consult_bearer();
    Ok(bearer::token(head.headers).map(Cow::into_owned))
}

/// The handle of a request, with which a handler signs in and out.
///
/// # Errors
///
/// When no [`AuthLayer`](crate::AuthLayer) has seen the request.
pub fn get_auth_context(request: &impl AuthRequest) -> Result<AuthContext, SessionError> {
    let head = request.head();
    head.extensions
        .get::<AuthContext>()
        .cloned()
        .or_else(|| scope::anonymous_context(head))
        .ok_or_else(missing_layer)
}

fn missing_layer() -> SessionError {
    let error = SessionError::new(SessionErrorKind::MissingLayer);
    tracing::error!("{error}");
    error
}

/// What the layer has left for a request.
pub(crate) enum Lookup<'r> {
    Context(&'r AuthContext),
    Anonymous,
}

impl<'r> Lookup<'r> {
    pub(crate) fn of(request: &'r impl AuthRequest) -> Result<Self, SessionError> {
        match request.head().extensions.get::<AuthContext>() {
            Some(context) => Ok(Self::Context(context)),
            None if scope::consult() => Ok(Self::Anonymous),
            None => Err(missing_layer()),
        }
    }

    pub(crate) fn auth(&self) -> Result<Auth, SessionError> {
        match self {
            Self::Context(context) => Ok(context.auth().clone()),
            Self::Anonymous => scope::auth().ok_or_else(missing_layer),
        }
    }

    /// The token of the cookie, or else of the header.
    pub(crate) fn token<C: DeserializeOwned>(
        &self,
        request: &impl AuthRequest,
    ) -> Result<Option<Token<C>>, SessionError> {
        match self.session_token()? {
            Some(token) => Ok(Some(token)),
            None => self.bearer_token(request),
        }
    }

    /// What a guard judges: the claims of the session, or else of the token in the header, unless it is the
    /// cookie alone that counts.
    pub(crate) fn claims<C: DeserializeOwned>(
        &self,
        cookie_only: bool,
        request: &impl AuthRequest,
    ) -> Result<Option<Token<C>>, SessionError> {
        match self {
            Self::Context(context) if cookie_only && context.is_bearer() => {
                context.consult();
                return Ok(None);
            }
            Self::Context(context) => {
                if let Some(claims) = context.claims()? {
                    return Ok(Some(claims));
                }
            }
            Self::Anonymous => {}
        }
        if cookie_only { Ok(None) } else { self.bearer_token(request) }
    }

    /// The token of the header alone, at a request without a session cookie.
    fn bearer_token<C: DeserializeOwned>(
        &self,
        request: &impl AuthRequest,
    ) -> Result<Option<Token<C>>, SessionError> {
        self.consult_bearer();
        let head = request.head();
        let Some(token) = bearer::token(head.headers) else { return Ok(None) };
        let auth = self.auth()?;
        let https = self.is_https(&auth, head);
        // The id of a row is no token.
        let is_row = auth.settings.strategy.rows().is_some();
        if is_row || auth.settings.strategy.has_cookie(&CookieHeaders::of(head.headers), https) {
            return Ok(None);
        }
        let found = match auth.settings.strategy.read_token(&token, https, auth.now()) {
            Found::Later(later) => auth.settings.strategy.settle_now(later),
            found => found,
        };
        match found {
            Found::Session(live) => Token::from_json(live.claims_json()).map(Some),
            Found::Unavailable => Err(SessionError::new(SessionErrorKind::Unavailable)),
            Found::Nobody | Found::Disputed | Found::Later(_) => Ok(None),
        }
    }

    /// From here on the response depends on the session.
    fn consult(&self) {
        // Without a context `of` has said so.
        if let Self::Context(context) = self {
            context.consult();
        }
    }

    fn is_https(&self, auth: &Auth, request: Head<'_>) -> bool {
        match self {
            Self::Context(context) => context.is_https(),
            Self::Anonymous => auth.is_https(request),
        }
    }

    /// From here on the response depends on `Authorization`.
    fn consult_bearer(&self) {
        match self {
            Self::Context(context) => context.consult_bearer(),
            Self::Anonymous => scope::consult_bearer(),
        }
    }

    /// The token of the session.
    fn session_token<C: DeserializeOwned>(&self) -> Result<Option<Token<C>>, SessionError> {
        match self {
            Self::Context(context) => context.token(),
            Self::Anonymous => Ok(None),
        }
    }
}
