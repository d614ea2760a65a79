use std::time::Duration;

use ::tonic::{Request, Status};
use http::header::COOKIE;
use serde::de::DeserializeOwned;

use super::status::not_signed_in;
use crate::{
    auth::{SessionWatch, Token},
    grpc,
    head::Head,
    layer::{AuthRequest, get_auth_context, get_token, sealed::Sealed},
    session::Session,
};

impl<T> Sealed for Request<T> {}

impl<T> AuthRequest for Request<T> {
    fn head(&self) -> Head<'_> {
        Head { method: None, uri: None, headers: self.metadata().as_ref(), extensions: self.extensions() }
    }
}

/// What a gRPC method asks its request, with a [`Status`] for an answer that is none.
///
/// ```
/// use portcullis::{SessionUser, tonic::SessionRequestExt};
/// use tonic::{Request, Response, Status};
///
/// async fn greet(request: Request<String>) -> Result<Response<String>, Status> {
///     let session = request.session::<SessionUser>()?; // 16 if nobody is signed in
///     Ok(Response::new(format!("hello {}", session.subject())))
/// }
/// # let _ = greet;
/// ```
pub trait SessionRequestExt {
    /// The session.
    ///
    /// # Errors
    ///
    /// 16 if nobody is signed in, 14 if a callback failed, 13 if no [`AuthLayer`](crate::AuthLayer) is there or
    /// the user is not a `U`.
    fn session<U: DeserializeOwned + 'static>(&self) -> Result<Session<U>, Status>;

    /// The decoded token.
    ///
    /// # Errors
    ///
    /// As [`session`](Self::session).
    fn token<C: DeserializeOwned>(&self) -> Result<Token<C>, Status>;

    /// A watch over the session, for streams; see [`AuthContext::watch`](crate::AuthContext::watch).
    ///
    /// # Errors
    ///
    /// As [`session`](Self::session).
    fn watch_session(&self, bound: Duration) -> Result<SessionWatch, Status>;
}

impl<T> SessionRequestExt for Request<T> {
    fn session<U: DeserializeOwned + 'static>(&self) -> Result<Session<U>, Status> {
        let context = get_auth_context(self)?;
        not_forged(self)?;
        context.session()?.ok_or_else(not_signed_in)
    }

    fn token<C: DeserializeOwned>(&self) -> Result<Token<C>, Status> {
        let token = get_token(self)?;
        not_forged(self)?;
        token.ok_or_else(not_signed_in)
    }

    fn watch_session(&self, bound: Duration) -> Result<SessionWatch, Status> {
        let context = get_auth_context(self)?;
        not_forged(self)?;
        context.watch(bound)?.ok_or_else(not_signed_in)
    }
}

/// Tonic calls a method whatever the content type is, so a plain form of another site would reach it, and the browser
/// would send the cookie along. What a browser sends with gRPC's content type it has asked for first.
fn not_forged<T>(request: &Request<T>) -> Result<(), Status> {
    let head = request.head();
    if grpc::is_call(head) || !head.headers.contains_key(COOKIE) { Ok(()) } else { Err(not_signed_in()) }
}
