use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tonic::Status;
use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::auth::SessionWatch;

/// The messages of a stream for as long as a session goes on; then one error with status 16, and the end. Works
/// for what a method answers and for what it is sent.
///
/// ```
/// use std::time::Duration;
/// use portcullis::tonic::{SessionRequestExt, while_signed_in};
/// use tonic::{Request, Response, Status};
/// # use tokio_stream::Stream;
///
/// async fn news(request: Request<()>) -> Result<Response<impl Stream<Item = Result<String, Status>>>, Status> {
///     let watch = request.watch_session(Duration::from_secs(10))?;
///     let messages = tokio_stream::iter([Ok("first".to_owned()), Ok("second".to_owned())]);
///     Ok(Response::new(while_signed_in(watch, messages)))
/// }
/// # let _ = news;
/// ```
pub fn while_signed_in<S>(watch: SessionWatch, stream: S) -> WhileSignedIn<S> {
    let ended = Box::pin(async move { watch.ended().await });
    WhileSignedIn { stream, ended: Some(ended) }
}

pin_project! {
    /// The stream of [`while_signed_in`].
    #[must_use = "streams do nothing unless polled"]
    pub struct WhileSignedIn<S> {
        #[pin]
        stream: S,
        // None once it has ended.
        ended: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    }
}

impl<S, T> Stream for WhileSignedIn<S>
where
    S: Stream<Item = Result<T, Status>>,
{
    type Item = Result<T, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let Some(ended) = this.ended else { return Poll::Ready(None) };
        // Asked first: no message passes that comes after the end.
        if ended.as_mut().poll(cx).is_ready() {
            *this.ended = None;
            return Poll::Ready(Some(Err(Status::unauthenticated("the session has ended"))));
        }
        let next = ready!(this.stream.poll_next(cx));
        if next.is_none() {
            *this.ended = None;
        }
        Poll::Ready(next)
    }
}

impl<S> fmt::Debug for WhileSignedIn<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhileSignedIn").finish_non_exhaustive()
    }
}
