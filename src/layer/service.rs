use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    AuthBody, ResponseFuture,
    resolve::{Resolution, Resolving, resolve},
    scope::{self, Scope},
};
use crate::{
    auth::{Auth, AuthContext, Site},
    error::BoxError,
    head::Head,
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

    // Inlined into the services of a router it would move the inner future twice more (docs/performance.md).
    #[inline(never)]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        // The endpoints come first, so that no route of the application can stand in for one.
        if let Some(site) = &self.auth.settings.site
            && site.endpoint(request.uri().path()).is_some()
        {
            return self.serve(Arc::clone(site), request);
        }
        let (mut scope, context) = match resolve(&self.auth, Head::from(&request)) {
            Resolution::Anonymous => {
                // Whoever another layer outside of this one has found is nobody here.
                request.extensions_mut().remove::<AuthContext>();
                (Some(Scope::new(self.auth.clone())), None)
            }
            Resolution::Ready(context) => {
                request.extensions_mut().insert(context.clone());
                (None, Some(context))
            }
            Resolution::Pending(resolving) => return self.wait(resolving, request),
        };
        let entered = scope::enter(&mut scope);
        let future = self.inner.call(request);
        drop(entered);
        ResponseFuture::inner(future, scope, context)
    }
}

/// The rare ways, apart, so that the usual one is short.
impl<S> AuthService<S> {
    #[cold]
    fn serve<B>(&self, site: Arc<Site>, request: Request<B>) -> ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
        B: Body + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<BoxError>,
    {
        ResponseFuture::endpoint(Box::pin(routes::serve(self.auth.clone(), site, request)))
    }

    #[cold]
    fn wait<B>(&mut self, resolving: Resolving, request: Request<B>) -> ResponseFuture<S, B>
    where
        S: Service<Request<B>> + Clone,
    {
        // The service that was polled ready is the one that must be called.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        ResponseFuture::resolving(resolving, ready, request)
    }
}
