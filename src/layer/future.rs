use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::VARY};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    AuthBody,
    scope::{self, Scope},
};
use crate::{auth::AuthContext, reply};

type Endpoint = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;
type Resolving = Pin<Box<dyn Future<Output = AuthContext> + Send>>;

pin_project! {
    /// The future of an [`AuthService`](crate::AuthService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Endpoint { future: Endpoint },
        // Boxed, so that the futures of all other requests stay small.
        Resolving { future: Resolving, next: Option<Box<(S, Request<B>)>> },
        Inner { #[pin] future: S::Future, scope: Option<Scope>, context: Option<AuthContext> },
    }
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn endpoint(future: Endpoint) -> Self {
        Self { state: State::Endpoint { future } }
    }

    pub(super) fn resolving(future: Resolving, service: S, request: Request<B>) -> Self {
        Self { state: State::Resolving { future, next: Some(Box::new((service, request))) } }
    }

    pub(super) fn inner(future: S::Future, scope: Option<Scope>, context: Option<AuthContext>) -> Self {
        Self { state: State::Inner { future, scope, context } }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<AuthBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let called = match state.as_mut().project() {
                StateProj::Endpoint { future } => {
                    return future.as_mut().poll(cx).map(|response| Ok(response.map(AuthBody::own)));
                }
                StateProj::Resolving { future, next } => {
                    let context = ready!(future.as_mut().poll(cx));
                    next.take().map(|next| {
                        let (mut service, mut request) = *next;
                        request.extensions_mut().insert(context.clone());
                        State::Inner { future: service.call(request), scope: None, context: Some(context) }
                    })
                }
                StateProj::Inner { future, scope, context } => {
                    let entered = scope.is_some().then(|| scope::enter(scope));
                    let mut polled = future.poll(cx).map_ok(|response| response.map(AuthBody::inner));
                    drop(entered);
                    if let Poll::Ready(Ok(response)) = &mut polled {
                        finish(response, scope.as_ref(), context.as_ref());
                    }
                    return polled;
                }
            };
            match called {
                Some(next) => state.set(next),
                // Only a future that is polled again after its end comes here.
                None => return Poll::Pending,
            }
        }
    }
}

/// Appends what handlers changed, and says what the response depends on.
fn finish<B>(response: &mut Response<B>, scope: Option<&Scope>, context: Option<&AuthContext>) {
    let mut consulted = scope.is_some_and(|scope| scope.consulted);
    let mut bearer = scope.is_some_and(|scope| scope.consulted_bearer);
    if let Some(context) = context.or_else(|| scope?.context.as_ref()) {
        consulted |= context.is_consulted();
        bearer |= context.is_bearer_consulted();
        let changes = context.take_changes();
        if !changes.is_empty() {
            reply::append_cookies(response, changes);
            return;
        }
    }
    if consulted {
        response.headers_mut().append(VARY, HeaderValue::from_static("cookie"));
    }
    if bearer {
        response.headers_mut().append(VARY, HeaderValue::from_static("authorization"));
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
