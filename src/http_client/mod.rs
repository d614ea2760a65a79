//! Requests to other servers: for keys that are read from a URL, for providers, for the client.
//!
//! An [`HttpClient`] is anything that sends a request and reads the response to its end. With the feature
//! `hyper-client` there is `HyperClient`. Any Tower service that takes requests is one as a [`ServiceClient`]; an
//! application that has a client of another kind gives a closure:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use portcullis::http_client::{HttpClient, HttpError};
//!
//! async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
//!     // Hand the request to the client of the application.
//! #   let answer = Ok::<_, std::io::Error>(Response::new(Bytes::new()));
//!     answer.map_err(HttpError::unavailable)
//! }
//!
//! let client: Box<dyn HttpClient> = Box::new(send);
//! ```

#[cfg(feature = "_jws")]
mod address;
#[cfg(feature = "_jws")]
mod ask;
#[cfg(feature = "_jws")]
mod document;
mod error;
#[cfg(feature = "hyper-client")]
mod hyper;
mod service;

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "oauth")]
pub(crate) use self::address::is_local;
pub use self::error::{HttpError, HttpErrorKind};
#[cfg(feature = "hyper-client")]
pub use self::hyper::HyperClient;
pub use self::service::ServiceClient;
#[cfg(feature = "_jws")]
pub(crate) use self::{
    address::check_url,
    ask::{asked, place},
    document::{Document, Failure, Limits, Source},
};

/// The longest response that is looked at, in bytes.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// Sends requests. Every function from a request to a future of a response is one.
///
/// What an implementation has to do, since requests may go to servers that are not the application's own:
///
/// * give up after some time, and on a response that is too long;
/// * not follow redirects: whoever asked decides about those;
/// * use https, except to this machine, and refuse certificates that do not verify.
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends `request` and reads the response to its end.
    ///
    /// # Errors
    ///
    /// When there is no whole response. Any status is a response.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError>;
}

#[async_trait]
impl<F, R> HttpClient for F
where
    F: Fn(Request<Bytes>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Response<Bytes>, HttpError>> + Send,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self(request).await
    }
}

#[async_trait]
impl<C: HttpClient + ?Sized> HttpClient for Arc<C> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        (**self).send(request).await
    }
}
