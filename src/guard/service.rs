use std::{
    fmt,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    judge::{Refusal, Verdict, judge},
    refusal::refuse,
    require::RequireAuth,
};
use crate::{
    error::{SessionError, SessionErrorKind},
    layer::AuthBody,
};

/// A service behind a [`RequireAuth`].
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    require: RequireAuth,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S, require: RequireAuth) -> Self {
        Self { inner, require }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Guard<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<AuthBody<ResBody>>;
    type Error = S::Error;
    type Future = GuardFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if !self.require.paths.guards(request.uri().path()) {
            return GuardFuture::passed(self.inner.call(request));
        }
        // A predicate of the application that panics has not said yes.
        let verdict =
            catch_unwind(AssertUnwindSafe(|| judge(&self.require, &request))).unwrap_or_else(|_| {
                tracing::error!("the predicate of a guard panicked: nobody passes");
                Verdict::Refuse(SessionError::new(SessionErrorKind::Callback).into())
            });
        match verdict {
            Verdict::Pass => GuardFuture::passed(self.inner.call(request)),
            Verdict::Refuse(refusal) => match refuse(&self.require, &request, &refusal) {
                Some(response) => GuardFuture::refused(response),
                None => GuardFuture::passed(self.inner.call(request)),
            },
            Verdict::Later(asking) => {
                // The service that was polled ready is the one that must be called.
                let clone = self.inner.clone();
                let service = mem::replace(&mut self.inner, clone);
                GuardFuture::later(Later {
                    asking,
                    require: self.require.clone(),
                    service,
                    request: Some(request),
                })
            }
        }
    }
}

pin_project! {
    /// The future of a [`Guard`].
    #[must_use = "futures do nothing unless polled"]
    pub struct GuardFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        passed: Option<S::Future>,
        refused: Option<Response<Bytes>>,
        later: Option<Box<Later<S, B>>>,
    }
}

/// A request about which somebody is asked first.
struct Later<S, B> {
    asking: Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>,
    require: RequireAuth,
    service: S,
    request: Option<Request<B>>,
}

impl<S: Service<Request<B>>, B> GuardFuture<S, B> {
    fn passed(future: S::Future) -> Self {
        Self { passed: Some(future), refused: None, later: None }
    }

    fn refused(response: Response<Bytes>) -> Self {
        Self { passed: None, refused: Some(response), later: None }
    }

    fn later(later: Later<S, B>) -> Self {
        Self { passed: None, refused: None, later: Some(Box::new(later)) }
    }
}

impl<S, ReqBody, ResBody> Future for GuardFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<AuthBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(later) = this.later {
            let outcome = ready!(later.asking.as_mut().poll(cx));
            if let Some(request) = later.request.take() {
                let refused = outcome.err().and_then(|refusal| refuse(&later.require, &request, &refusal));
                match refused {
                    Some(response) => *this.refused = Some(response),
                    None => this.passed.set(Some(later.service.call(request))),
                }
            }
            *this.later = None;
        }
        if let Some(response) = this.refused.take() {
            return Poll::Ready(Ok(response.map(AuthBody::own)));
        }
        match this.passed.as_pin_mut() {
            Some(passed) => passed.poll(cx).map_ok(|response| response.map(AuthBody::inner)),
            // Only a future that is polled again after its end comes here.
            None => Poll::Pending,
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for GuardFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}
