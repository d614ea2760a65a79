//! A key set that is read from a URL, kept, and read again.

mod cache;
mod fetch;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::{self, Future},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Uri;
use tokio::{runtime::Handle, sync::Mutex as AsyncMutex};

use self::{
    cache::{Cache, Failure, Fetched, Limits},
    fetch::Source,
};
use super::Algorithms;
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    codec::{Codec, CodecError, JwsAlgorithm, Opened},
    error::ConfigError,
    http_client::{HttpClient, check_url},
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
    source: Source,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cache: Mutex<Cache>,
    /// The one request that is under way. It belongs to nobody: when the caller that polls it goes away, the next
    /// one goes on with it.
    flight: AsyncMutex<Option<Flight>>,
}

type Flight = Pin<Box<dyn Future<Output = Result<Fetched, Failure>> + Send>>;

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
        let mut problems = ConfigError::none();
        let url = url.parse::<Uri>().map_err(|error| error.to_string());
        let url = url.and_then(|url| check_url(&url).map(|()| url).map_err(|error| error.to_string()));
        let algorithms = Algorithms::new(algorithms);
        match (url, algorithms) {
            (Ok(url), Ok(algorithms)) => Ok(Self {
                source: Source {
                    url,
                    algorithms,
                    client: Arc::new(client),
                    clock: Arc::new(SystemClock),
                    limits: Limits {
                        max_age: Duration::from_secs(10 * 60),
                        min_interval: Duration::from_secs(60),
                        max_stale: Duration::from_secs(24 * 60 * 60),
                    },
                    time_limit: Duration::from_secs(10),
                },
                shared: Arc::default(),
            }),
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

    /// What tells the time: [`SystemClock`] unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.source.clock = Arc::new(clock);
        self
    }

    /// How old the set may be before it is read again: 10 minutes unless set. This is also how long a key is trusted
    /// that the issuer has withdrawn. `Cache-Control` of the response can make it shorter, down to `min_interval`.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.source.limits.max_age = age;
        self
    }

    /// The shortest time between two requests for the set: 1 minute unless set.
    #[must_use]
    pub fn min_interval(mut self, interval: Duration) -> Self {
        self.source.limits.min_interval = interval;
        self
    }

    /// How old the set may become while the issuer cannot be asked: 24 hours unless set.
    #[must_use]
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.source.limits.max_stale = age;
        self
    }

    /// How long a request may take, whatever the client allows: 10 seconds unless set.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.source.time_limit = limit;
        self
    }

    /// Reads the set now, unless it is fresh: for a start that fails early.
    ///
    /// # Errors
    ///
    /// When it cannot be read. Calling again asks again.
    pub async fn load(&self) -> Result<(), ConfigError> {
        let now = self.now();
        let begun = {
            let mut cache = self.cache();
            if cache.is_fresh(now) {
                return Ok(());
            }
            let begin = !cache.is_running();
            if begin {
                cache.begin(now);
            }
            begin
        };
        if begun {
            self.drive();
        }
        self.join().await;
        self.cache().failure().cloned().map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn now(&self) -> Timestamp {
        self.source.clock.now().into()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that a request that was begun comes to its end, though whoever waits for it may go away.
    fn drive(&self) {
        if let Ok(runtime) = Handle::try_current() {
            let this = self.clone();
            runtime.spawn(async move { this.join().await });
        }
    }

    /// Waits for the request that was begun.
    async fn join(&self) {
        let mut flight = self.shared.flight.lock().await;
        if !self.cache().is_running() {
            return; // It came to its end while this waited for its turn.
        }
        let outcome = flight.get_or_insert_with(|| Box::pin(self.source.clone().fetch())).await;
        *flight = None;
        let now = self.now();
        let kept = self.cache().set(now, &self.source.limits).is_some();
        match &outcome {
            Ok(Fetched { set, .. }) => {
                tracing::debug!(url = %self.source.place(), ?set, "the key set was read")
            }
            Err(Failure { problem, remedy }) if kept => {
                tracing::warn!("{problem}; the keys that were read before stay in use for now; {remedy}");
            }
            Err(Failure { problem, remedy }) => {
                tracing::error!("{problem}; no token can be verified until it can; {remedy}");
            }
        }
        self.cache().end(now, outcome);
    }
}

impl Codec for JwksUrl {
    fn encode(&self, _: &[u8]) -> Result<String, CodecError> {
        Err(CodecError::unavailable())
    }

    /// Uses the set that is there. If a newer one is due, it is asked for in the background.
    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        let token = self.source.algorithms.name(token)?;
        let now = self.now();
        let (set, fresh) = {
            let cache = self.cache();
            (cache.set(now, &self.source.limits), cache.is_fresh(now))
        };
        let outcome = set.map_or(Err(CodecError::no_keys()), |set| set.open(&token));
        let due = !fresh || outcome.as_ref().is_err_and(CodecError::is_unknown_key);
        if due && Handle::try_current().is_ok() && self.cache().begin_if_due(now, &self.source.limits) {
            self.drive();
        }
        outcome
    }

    fn refresh(&self) -> Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>> {
        let (now, limits) = (self.now(), &self.source.limits);
        let (begun, running, new) = {
            let mut cache = self.cache();
            // A set that came since the token was refused is not asked for again.
            let new = cache.is_new(now, limits);
            (!new && cache.begin_if_due(now, limits), cache.is_running(), new)
        };
        if begun {
            self.drive();
        }
        if running {
            return Some(Box::pin(async move {
                self.join().await;
                self.cache().is_new(self.now(), limits)
            }));
        }
        new.then(|| Box::pin(future::ready(true)) as Pin<Box<dyn Future<Output = bool> + Send>>)
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwksUrl({})", self.source.place())
    }
}
