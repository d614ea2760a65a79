use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::AuthRejection;
use crate::{
    auth::{AuthContext, Token},
    layer::{Lookup, get_auth_context, get_token},
    session::Session,
};

/// The session; refuses with 401 if nobody is signed in. `Session<MyUser>` reads the user into a type of
/// one's own.
impl<S, U> FromRequestParts<S> for Session<U>
where
    S: Send + Sync,
    U: DeserializeOwned + Send + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        session_of(parts)?.ok_or(AuthRejection::NotSignedIn)
    }
}

/// The session, or `None` if nobody is signed in. An error is neither: it refuses.
impl<S, U> OptionalFromRequestParts<S> for Session<U>
where
    S: Send + Sync,
    U: DeserializeOwned + Send + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthRejection> {
        session_of(parts)
    }
}

fn session_of<U: DeserializeOwned + 'static>(parts: &Parts) -> Result<Option<Session<U>>, AuthRejection> {
    match Lookup::of(parts)? {
        Lookup::Context(context) => Ok(context.session()?),
        Lookup::Anonymous => Ok(None),
    }
}

/// The token, from the cookie or else from `Authorization: Bearer`; refuses with 401 if there is none.
impl<S, C> FromRequestParts<S> for Token<C>
where
    S: Send + Sync,
    C: DeserializeOwned + Send,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        get_token(parts)?.ok_or(AuthRejection::NotSignedIn)
    }
}

/// The token, or `None` if there is no valid one.
impl<S, C> OptionalFromRequestParts<S> for Token<C>
where
    S: Send + Sync,
    C: DeserializeOwned + Send,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthRejection> {
        Ok(get_token(parts)?)
    }
}

/// The handle of the request, whoever is signed in.
impl<S: Send + Sync> FromRequestParts<S> for AuthContext {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        Ok(get_auth_context(parts)?)
    }
}
