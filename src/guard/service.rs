use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    refusal::{Refusal, refuse},
    rule::{RequireAuth, Verdict},
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
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<AuthBody<ResBody>>;
    type Error = S::Error;
    type Future = GuardFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // A predicate of the application that panics has not said yes.
        let verdict = catch_unwind(AssertUnwindSafe(|| self.require.judge(&request))).unwrap_or_else(|_| {
            tracing::error!("the predicate of a guard panicked: nobody passes");
            Verdict::Failed(SessionError::new(SessionErrorKind::Callback))
        });
        let refusal = match verdict {
            Verdict::Pass => {
                return GuardFuture { state: State::Passed { future: self.inner.call(request) } };
            }
            Verdict::NotSignedIn => Refusal::NotSignedIn,
            Verdict::Forbidden if self.require.forbidden_to_sign_in => Refusal::NotSignedIn,
            Verdict::Forbidden => Refusal::Forbidden,
            Verdict::Failed(error) => Refusal::Failed(error),
        };
        GuardFuture {
            state: State::Refused {
                response: Some(refuse(
                    &request,
                    request.uri(),
                    request.method(),
                    self.require.answer,
                    &refusal,
                )),
            },
        }
    }
}

pin_project! {
    /// The future of a [`Guard`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct GuardFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProj]
    enum State<F> {
        Passed { #[pin] future: F },
        Refused { response: Option<Response<Bytes>> },
    }
}

impl<F, ResBody, E> Future for GuardFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
{
    type Output = Result<Response<AuthBody<ResBody>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Passed { future } => future.poll(cx).map_ok(|response| response.map(AuthBody::inner)),
            StateProj::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response.map(AuthBody::own))),
                None => Poll::Pending,
            },
        }
    }
}
