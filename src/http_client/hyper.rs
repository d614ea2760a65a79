//! The client on hyper and rustls.

mod resolver;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, crypto::aws_lc_rs};

use self::resolver::Resolver;
use super::{HttpClient, HttpError, MAX_RESPONSE_BYTES, ask::name_sender, check_url, service::whole};
use crate::{
    clock::{Clock, SystemClock, within},
    error::ConfigError,
};

/// Sends requests with hyper: https with the certificates that this machine trusts, plain http to this machine only.
///
/// A request has 10 seconds in all, and a response 1 MiB; redirects are not followed. Connections are kept for the
/// next request. Clones share them. `localhost` is this machine, whatever the name service says. A request without a `User-Agent` is sent as `portcullis`. Needs a Tokio runtime.
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use http::Request;
/// use portcullis::http_client::{HttpClient, HttpErrorKind, HyperClient};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = HyperClient::new()?.time_limit(Duration::from_secs(3)).max_response_bytes(64 * 1024);
///
/// let error = client.send(Request::get("http://issuer.example/keys").body(Bytes::new())?).await.unwrap_err();
/// assert_eq!(error.kind(), HttpErrorKind::RefusedUrl);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HyperClient {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    clock: Arc<dyn Clock>,
    time_limit: Duration,
    max_response_bytes: usize,
}

impl HyperClient {
    /// A client that trusts the certificates that this machine trusts: those of the system, or of the file or folder
    /// that `SSL_CERT_FILE` or `SSL_CERT_DIR` names.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub fn new() -> Result<Self, ConfigError> {
        // The provider is given by name: the process-wide default is missing, or somebody else's choice.
        ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)
            .and_then(ConfigBuilderExt::with_native_roots)
            .map(|tls| Self::with(tls.with_no_client_auth(), Resolver::of_system()))
            .map_err(|error| {
                ConfigError::one(
                    format!("the certificates that this machine trusts cannot be read ({error})"),
                    "install them (the package `ca-certificates` on Debian), or name a file in SSL_CERT_FILE",
                )
            })
    }

    fn with(tls: ClientConfig, resolver: Resolver) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        // What may go over plain http is for `check_url` to say.
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        Self {
            client: builder.build(connector),
            clock: Arc::new(SystemClock),
            time_limit: Duration::from_secs(10),
            max_response_bytes: MAX_RESPONSE_BYTES,
        }
    }

    /// How long a request may take, from finding the server to the last byte of the response.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// How long the body of a response may be.
    #[must_use]
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// What measures the time limit: [`SystemClock`] unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let response = self.client.request(request.map(Full::new)).await.map_err(HttpError::unavailable)?;
        whole(response, self.max_response_bytes).await
    }
}

#[async_trait]
impl HttpClient for HyperClient {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        check_url(request.uri())?;
        name_sender(&mut request);
        let outcome = within(&*self.clock, self.time_limit, self.exchange(request)).await;
        outcome.unwrap_or_else(|| Err(HttpError::timeout()))
    }
}

impl fmt::Debug for HyperClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperClient")
            .field("time_limit", &self.time_limit)
            .field("max_response_bytes", &self.max_response_bytes)
            .finish_non_exhaustive()
    }
}
