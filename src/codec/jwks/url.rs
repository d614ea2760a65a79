//! A key set that is read from a URL, kept, and read again.

#[cfg(test)]
mod tests;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use http::Uri;

use super::{Algorithms, JwkSet};
use crate::{
    clock::{Clock, SystemClock},
    codec::{Codec, CodecError, JwsAlgorithm, Opened},
    error::ConfigError,
    http_client::{Document, Failure, HttpClient, Limits, Source, check_url, place},
};

/// The key set that an issuer publishes under a URL: a [`JwkSet`](super::JwkSet) that follows when its keys change.
///
/// * The set is read when it is first needed, or by [`load`](Self::load), and read again in the background once it
///   is older than [`max_age`](Self::max_age).
/// * A token that names an unknown key has the set read again, too: the issuer may have changed its keys.
///   [`refresh`](Codec::refresh) waits for that. It happens once per [`min_interval`](Self::min_interval),
///   however many such tokens come, since anyone can make them up.
/// * All callers share one request. It has a time limit, whatever the client does.
/// * When the issuer cannot be reached or answers with something else, the last good set stays in use, for at most
///   [`max_stale`](Self::max_stale), and it is asked again ten seconds later at the soonest.
///
/// Requests in the background need a Tokio runtime. Clones share the set.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use portcullis::{codec::{Codec, JwksUrl, JwsAlgorithm}, http_client::HttpError};
///
/// /// In an application, a `HyperClient` (feature `hyper-client`).
/// async fn client(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
///     assert_eq!(request.uri(), "https://issuer.example/.well-known/jwks.json");
///     Ok(Response::new(Bytes::from(
///         r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-01",
///                       "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
///     )))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::ConfigError> {
/// let url = "https://issuer.example/.well-known/jwks.json";
/// let keys = JwksUrl::new(url, [JwsAlgorithm::EdDSA], client)?;
/// // Fails now rather than with the first request.
/// keys.load().await?;
///
/// // {"alg":"EdDSA","kid":"2026-02"}
/// let error = keys.decode("eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYtMDIifQ.e30.AAAA").unwrap_err();
/// assert!(error.is_unknown_key() && !error.is_no_keys());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct JwksUrl {
    algorithms: Algorithms,
    document: Document<JwkSet>,
}

impl JwksUrl {
    /// The set at `url`, for tokens of these algorithms.
    ///
    /// # Errors
    ///
    /// When the URL is not https (http is taken for this machine, for development), an algorithm is for shared
    /// secrets, or there is none.
    pub fn new(
        url: &str,
        algorithms: impl IntoIterator<Item = JwsAlgorithm>,
        client: impl HttpClient,
    ) -> Result<Self, ConfigError> {
        Self::shared(url, algorithms, Arc::new(client), Arc::new(SystemClock))
    }

    /// The set at `url`, with a client and a clock that others use, too.
    pub(crate) fn shared(
        url: &str,
        algorithms: impl IntoIterator<Item = JwsAlgorithm>,
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut problems = ConfigError::none();
        let url = url.parse::<Uri>().map_err(|error| error.to_string());
        let url = url.and_then(|url| check_url(&url).map(|()| url).map_err(|error| error.to_string()));
        let algorithms = Algorithms::new(algorithms);
        match (url, algorithms) {
            (Ok(url), Ok(algorithms)) => Ok(Self::of(url, algorithms, client, clock)),
            (url, algorithms) => {
                if let Err(error) = url {
                    problems.add(
                        format!("keys cannot be read from the configured URL ({error})"),
                        "use the https URL that the issuer documents, often called jwks_uri",
                    );
                }
                algorithms.err().into_iter().for_each(|error| problems.append(error));
                Err(problems)
            }
        }
    }

    fn of(url: Uri, algorithms: Algorithms, client: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        let taken = algorithms.clone();
        let document = Document::new(Source {
            url,
            name: "key set",
            accept: "application/jwk-set+json, application/json",
            client,
            clock,
            limits: Limits {
                max_age: Duration::from_secs(10 * 60),
                min_interval: Duration::from_secs(60),
                max_stale: Duration::from_secs(24 * 60 * 60),
            },
            time_limit: Duration::from_secs(10),
            is_needed: true,
            read: Arc::new(move |json| JwkSet::read(json, taken.clone())),
        });
        Self { algorithms, document }
    }

    /// What tells the time: [`SystemClock`] unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.document.source.clock = Arc::new(clock);
        self
    }

    /// How old the set may be before it is read again: 10 minutes unless set. This is also how long a key is trusted
    /// that the issuer has withdrawn. `Cache-Control` of the response can make it shorter, down to `min_interval`.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.document.source.limits.max_age = age;
        self
    }

    /// The shortest time between two requests for the set: 1 minute unless set.
    #[must_use]
    pub fn min_interval(mut self, interval: Duration) -> Self {
        self.document.source.limits.min_interval = interval;
        self
    }

    /// How old the set may become while the issuer cannot be asked: 24 hours unless set.
    #[must_use]
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.document.source.limits.max_stale = age;
        self
    }

    /// How long a request may take, whatever the client allows: 10 seconds unless set.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.document.source.time_limit = limit;
        self
    }

    /// Reads the set now, unless it is fresh: for a start that fails early.
    ///
    /// # Errors
    ///
    /// When it cannot be read. Calling again asks again.
    pub async fn load(&self) -> Result<(), ConfigError> {
        self.document
            .load_now()
            .await
            .map_err(|Failure { problem, remedy }| ConfigError::one(problem, remedy))
    }
}

impl Codec for JwksUrl {
    fn encode(&self, _: &[u8]) -> Result<String, CodecError> {
        Err(CodecError::unavailable())
    }

    /// Uses the set that is there. If a newer one is due, it is asked for in the background.
    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        let token = self.algorithms.name(token)?;
        let (set, fresh) = self.document.held();
        let outcome = set.map_or(Err(CodecError::no_keys()), |set| set.open(&token));
        if !fresh || outcome.as_ref().is_err_and(CodecError::is_unknown_key) {
            self.document.ask_for_newer();
        }
        outcome
    }

    fn refresh(&self) -> Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>> {
        self.document.newer()
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwksUrl({})", place(&self.document.source.url))
    }
}
