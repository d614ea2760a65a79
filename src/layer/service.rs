use std::{
    mem,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    AuthBody, ResponseFuture,
    resolve::{Resolution, resolve},
    scope::{self, Scope},
};
use crate::{
    auth::{Auth, AuthContext},
    error::BoxError,
    routes,
};

/// What [`AuthLayer`](crate::AuthLayer) makes of a service.
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    inner: S,
    auth: Auth,
}

impl<S> AuthService<S> {
    pub(super) fn new(inner: S, auth: Auth) -> Self {
        Self { inner, auth }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AuthService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Buf + Send,
    ReqBody::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<AuthBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        // The endpoints come first, so that no route of the application can stand in for one.
        if self.auth.endpoint(request.uri().path()).is_some() {
            return ResponseFuture::endpoint(Box::pin(routes::serve(self.auth.clone(), request)));
        }
        match resolve(&self.auth, request.headers(), request.extensions()) {
            Resolution::Anonymous { https } => {
                // Whoever another layer outside of this one has found is nobody here.
                request.extensions_mut().remove::<AuthContext>();
                let mut scope = Some(Scope::new(self.auth.clone(), https));
                let entered = scope::enter(&mut scope);
                let future = self.inner.call(request);
                drop(entered);
                ResponseFuture::inner(future, scope, None)
            }
            Resolution::Ready(context) => {
                request.extensions_mut().insert(context.clone());
                ResponseFuture::inner(self.inner.call(request), None, Some(context))
            }
            Resolution::Pending(resolving) => {
                // The service that was polled ready is the one that must be called.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::resolving(resolving, ready, request)
            }
        }
    }
}
