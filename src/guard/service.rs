use std::{
    fmt,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    judge::{Refusal, Verdict, judge},
    refusal::{original_uri, refuse},
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
    // Shared, since routers clone their services for each request.
    require: Arc<RequireAuth>,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S, require: RequireAuth) -> Self {
        Self { inner, require: Arc::new(require) }
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
        let paths = &self.require.paths;
        if !paths.is_every() && !paths.guards(request.uri().path(), original_uri(&request).path()) {
            return GuardFuture::passed(self.inner.call(request));
        }
        // A predicate of the application that panics has not said yes.
        let verdict = catch_unwind(AssertUnwindSafe(|| judge(&self.require, &request)))
            .unwrap_or_else(|_| Verdict::Refuse(panicked()));
        match verdict {
            Verdict::Pass => GuardFuture::passed(self.inner.call(request)),
            Verdict::Refuse(refusal) => match refuse(&self.require, &request, &refusal) {
                Some(response) => GuardFuture::refused(response),
                None => GuardFuture::passed(self.inner.call(request)),
            },
            Verdict::Later(answer) => {
                // The service that was polled ready is the one that must be called.
                let clone = self.inner.clone();
                let service = mem::replace(&mut self.inner, clone);
                let require = Arc::clone(&self.require);
                GuardFuture::asking(Asking { answer, require, service, request: Some(request) })
            }
        }
    }
}

fn panicked() -> Refusal {
    tracing::error!("the predicate of a guard panicked: nobody passes");
    SessionError::new(SessionErrorKind::Callback).into()
}

pin_project! {
    /// The future of a [`Guard`].
    #[must_use = "futures do nothing unless polled"]
    pub struct GuardFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // The service's, once it was called.
        #[pin]
        passed: Option<S::Future>,
        // Boxed, so that requests that pass stay small.
        instead: Option<Box<Instead<S, B>>>,
    }
}

/// What comes before the service, or in its place.
enum Instead<S, B> {
    Refused(Response<Bytes>),
    Asking(Asking<S, B>),
}

/// A request about which somebody is asked first.
struct Asking<S, B> {
    answer: Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>,
    require: Arc<RequireAuth>,
    service: S,
    request: Option<Request<B>>,
}

impl<S: Service<Request<B>>, B> GuardFuture<S, B> {
    fn passed(future: S::Future) -> Self {
        Self { passed: Some(future), instead: None }
    }

    fn refused(response: Response<Bytes>) -> Self {
        Self { passed: None, instead: Some(Box::new(Instead::Refused(response))) }
    }

    fn asking(asking: Asking<S, B>) -> Self {
        Self { passed: None, instead: Some(Box::new(Instead::Asking(asking))) }
    }
}

impl<S, ReqBody, ResBody> Future for GuardFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<AuthBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(Instead::Asking(asking)) = this.instead.as_deref_mut() {
            // Predicates of the application run in there.
            let polled = catch_unwind(AssertUnwindSafe(|| asking.answer.as_mut().poll(cx)));
            let answer = ready!(polled.unwrap_or_else(|_| Poll::Ready(Err(panicked()))));
            let Some(request) = asking.request.take() else { return Poll::Pending };
            let refused = match answer {
                Ok(()) => None,
                Err(refusal) => refuse(&asking.require, &request, &refusal),
            };
            match refused {
                Some(response) => return Poll::Ready(Ok(response.map(AuthBody::own))),
                None => this.passed.set(Some(asking.service.call(request))),
            }
            *this.instead = None;
        }
        if let Some(Instead::Refused(response)) = this.instead.take().map(|instead| *instead) {
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
