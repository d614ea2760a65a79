//! A Tower service as a client.

use std::{fmt, future::poll_fn};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower_service::Service;

use super::{HttpClient, HttpError, MAX_RESPONSE_BYTES};
use crate::error::BoxError;

/// Sends requests through a Tower service: the HTTP client of the application, with its layers for retries, proxies or
/// traces; or the application's own `Router`, so that a test needs no socket.
///
/// Time limits, redirects and which hosts may be asked are the service's business. Of a response at most 1 MiB is read.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, routing::get};
/// use bytes::Bytes;
/// use http::Request;
/// use portcullis::http_client::{HttpClient, ServiceClient};
///
/// let client = ServiceClient::new(Router::new().route("/health", get(async || "well")));
/// let response = client.send(Request::get("/health").body(Bytes::new())?).await?;
/// assert_eq!(response.body(), "well");
/// # Ok(()) }
/// # #[cfg(not(feature = "axum"))] fn main() {}
/// ```
#[derive(Clone)]
pub struct ServiceClient<S> {
    service: S,
}

impl<S> ServiceClient<S> {
    /// A client that calls a clone of this service for each request.
    pub fn new(service: S) -> Self {
        Self { service }
    }
}

#[async_trait]
impl<S, B> HttpClient for ServiceClient<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut service = self.service.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(HttpError::unavailable)?;
        let response = service.call(request.map(Full::new)).await.map_err(HttpError::unavailable)?;
        whole(response, MAX_RESPONSE_BYTES).await
    }
}

impl<S> fmt::Debug for ServiceClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceClient").finish_non_exhaustive()
    }
}

/// A response, read to its end unless that is further than `limit` bytes.
pub(super) async fn whole<B>(response: Response<B>, limit: usize) -> Result<Response<Bytes>, HttpError>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let (parts, body) = response.into_parts();
    if body.size_hint().lower() > limit as u64 {
        return Err(HttpError::too_large()); // Announced: none of it needs to be read.
    }
    let body = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { HttpError::too_large() } else { HttpError::unavailable(error) }
    })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::{Ready, ready},
        task::{Context, Poll},
    };

    use super::*;
    use crate::http_client::HttpErrorKind;

    /// Is ready when it is asked the second time, and answers with as many bytes as it was sent digits of.
    #[derive(Clone, Default)]
    struct Slow {
        ready: bool,
    }

    impl Service<Request<Full<Bytes>>> for Slow {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            if self.ready {
                return Poll::Ready(Ok(()));
            }
            self.ready = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }

        fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
            assert!(self.ready, "called before it was ready");
            let bytes = request.uri().path()[1..].parse().unwrap();
            ready(Ok(Response::new(Full::new(vec![0; bytes].into()))))
        }
    }

    #[tokio::test]
    async fn s40_services_are_waited_for_and_their_responses_bounded() {
        let client = ServiceClient::new(Slow::default());
        let ask = |bytes: usize| client.send(Request::get(format!("/{bytes}")).body(Bytes::new()).unwrap());
        for bytes in [0, 1, MAX_RESPONSE_BYTES] {
            assert_eq!(ask(bytes).await.unwrap().body().len(), bytes);
        }
        assert_eq!(ask(MAX_RESPONSE_BYTES + 1).await.unwrap_err().kind(), HttpErrorKind::TooLarge);
    }

    #[derive(Clone)]
    struct Broken;

    impl Service<Request<Full<Bytes>>> for Broken {
        type Response = Response<Full<Bytes>>;
        type Error = BoxError;
        type Future = Ready<Result<Self::Response, BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Err("shut down".into()))
        }

        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            ready(Err("never asked".into()))
        }
    }

    #[tokio::test]
    async fn a_service_that_fails_gives_no_answer() {
        let error = ServiceClient::new(Broken).send(Request::new(Bytes::new())).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Unavailable);
        assert!(error.to_string().ends_with("shut down"), "{error}");
    }
}
