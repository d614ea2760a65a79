use std::{
    fmt,
    marker::PhantomData,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
};

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::AuthRejection;
use crate::{
    error::{SessionError, SessionErrorKind},
    layer::Lookup,
    session::{Claims, Session, SessionUser},
};

/// What a handler asks of its user, as a type: for [`Require`].
pub trait Requirement: Send + Sync + 'static {
    /// Whether the user with these claims may call the handler.
    fn permits(claims: &Claims) -> bool;
}

/// An extractor that is a guard: a handler that names it runs for nobody else. Refuses with 401 if nobody is
/// signed in, and with 403 if the user may not. It is the [`Session`], too.
///
/// ```
/// use portcullis::{Claims, Require, Requirement};
///
/// struct Admin;
///
/// impl Requirement for Admin {
///     fn permits(claims: &Claims) -> bool {
///         claims.has_role("admin")
///     }
/// }
///
/// async fn delete_everything(admin: Require<Admin>) -> String {
///     format!("as you wish, {}", admin.subject())
/// }
/// # let _ = delete_everything;
/// ```
///
/// Nobody but the extractor makes one:
///
/// ```compile_fail,E0451
/// # use std::marker::PhantomData;
/// # use portcullis::{Claims, Require, Requirement, Session};
/// fn forge<R: Requirement>(session: Session) -> Require<R> {
///     Require { session, requirement: PhantomData }
/// }
/// ```
pub struct Require<R, U = SessionUser> {
    session: Session<U>,
    requirement: PhantomData<fn() -> R>,
}

impl<R, U> Require<R, U> {
    /// The session alone.
    pub fn into_session(self) -> Session<U> {
        self.session
    }
}

impl<R, U> Deref for Require<R, U> {
    type Target = Session<U>;

    fn deref(&self) -> &Session<U> {
        &self.session
    }
}

impl<S, R, U> FromRequestParts<S> for Require<R, U>
where
    S: Send + Sync,
    R: Requirement,
    U: DeserializeOwned + Send + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let Lookup::Context(context) = Lookup::of(parts)? else { return Err(AuthRejection::NotSignedIn) };
        let token = context.token::<Claims>()?.ok_or(AuthRejection::NotSignedIn)?;
        let permits = catch_unwind(AssertUnwindSafe(|| R::permits(&token.claims))).map_err(|_| {
            tracing::error!("a requirement panicked: nobody passes");
            SessionError::new(SessionErrorKind::Callback)
        })?;
        if !permits {
            return Err(AuthRejection::Forbidden);
        }
        let session = context.session()?.ok_or(AuthRejection::NotSignedIn)?;
        Ok(Self { session, requirement: PhantomData })
    }
}

impl<R, U> fmt::Debug for Require<R, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Require").field(&self.session).finish()
    }
}
