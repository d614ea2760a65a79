//! One request by a client that may be code of the application.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header::USER_AGENT};

use super::{HttpClient, HttpError, MAX_RESPONSE_BYTES, check_url};
use crate::clock::{Clock, within};

/// Sends a request and waits for the whole response: for so long at most, and whatever the client does.
pub(crate) async fn asked(
    client: &Arc<dyn HttpClient>,
    clock: &dyn Clock,
    time_limit: Duration,
    mut request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    check_url(request.uri())?;
    name_sender(&mut request);
    match within(clock, time_limit, unwound(client.send(request))).await {
        None => Err(HttpError::timeout()),
        Some(None) => Err(HttpError::unavailable("the HTTP client panicked: mend it; see the log")),
        Some(Some(Ok(response))) if response.body().len() > MAX_RESPONSE_BYTES => Err(HttpError::too_large()),
        Some(Some(outcome)) => outcome,
    }
}

/// Says who asks, unless the request does: some servers refuse whoever does not.
pub(super) fn name_sender(request: &mut Request<Bytes>) {
    request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("portcullis"));
}

/// A URL for people to read: without its query, which may hold a secret.
pub(crate) fn place(url: &Uri) -> String {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}{}", url.scheme_str().unwrap_or_default(), url.path())
}

/// `None` if it panics.
async fn unwound<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).map(Some))).unwrap_or(Poll::Ready(None))
    })
    .await
}
