use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::VARY};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    AuthBody,
    resolve::Resolving,
    scope::{self, Scope},
};
use crate::{auth::AuthContext, reply};

type Endpoint = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

pin_project! {
    /// The future of an [`AuthService`](crate::AuthService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // The service's, once it was called.
        #[pin]
        called: Option<S::Future>,
        scope: Option<Scope>,
        context: Option<AuthContext>,
        before: Option<Box<Before<S, B>>>,
    }
}

/// What comes before the service, or in its place.
#[expect(
    clippy::large_enum_variant,
    reason = "it is boxed as a whole, so that other requests do not carry it"
)]
enum Before<S, B> {
    Endpoint(Endpoint),
    Resolving(Resolving, Option<(S, Request<B>)>),
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn endpoint(future: Endpoint) -> Self {
        Self::before(Before::Endpoint(future))
    }

    pub(super) fn resolving(future: Resolving, service: S, request: Request<B>) -> Self {
        Self::before(Before::Resolving(future, Some((service, request))))
    }

    fn before(before: Before<S, B>) -> Self {
        Self { called: None, scope: None, context: None, before: Some(Box::new(before)) }
    }

    #[inline]
    pub(super) fn inner(future: S::Future, scope: Option<Scope>, context: Option<AuthContext>) -> Self {
        Self { called: Some(future), scope, context, before: None }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<AuthBody<ResBody>>, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(before) = this.before {
            match &mut **before {
                Before::Endpoint(future) => {
                    return future.as_mut().poll(cx).map(|response| Ok(response.map(AuthBody::own)));
                }
                Before::Resolving(future, next) => {
                    let context = ready!(future.as_mut().poll(cx));
                    if let Some((mut service, mut request)) = next.take() {
                        request.extensions_mut().insert(context.clone());
                        this.called.set(Some(service.call(request)));
                        *this.context = Some(context);
                    }
                    *this.before = None;
                }
            }
        }
        let Some(called) = this.called.as_pin_mut() else { return Poll::Pending };
        let entered = scope::enter(this.scope);
        let polled = called.poll(cx);
        drop(entered);
        polled.map_ok(|mut response| {
            finish(response.headers_mut(), this.scope.as_ref(), this.context.as_ref());
            response.map(AuthBody::inner)
        })
    }
}

/// Appends what handlers changed, and says what the response depends on.
fn finish(headers: &mut HeaderMap, scope: Option<&Scope>, context: Option<&AuthContext>) {
    let mut consulted = scope.is_some_and(|scope| scope.consulted);
    let mut bearer = scope.is_some_and(|scope| scope.consulted_bearer);
    if let Some(context) = context.or_else(|| scope?.context.as_ref()) {
        consulted |= context.is_consulted();
        bearer |= context.is_bearer_consulted();
        let changes = context.take_changes();
        if !changes.is_empty() {
            reply::append_cookies(headers, changes);
            return;
        }
    }
    let vary = match (consulted, bearer) {
        (true, true) => "cookie, authorization",
        (true, false) => "cookie",
        (false, true) => "authorization",
        (false, false) => return,
    };
    headers.append(VARY, HeaderValue::from_static(vary));
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
