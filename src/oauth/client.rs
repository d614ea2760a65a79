//! One provider, and how it is asked.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use serde_json::Value;

use super::{
    discovery::{Metadata, Use},
    error::{OAuthError, quoted},
};
use crate::{
    clock::{Clock, Timestamp},
    codec::{Codec, JwksUrl},
    dialect::Rules,
    error::ConfigError,
    head::media_type,
    http_client::{Document, Failure, HttpClient, Limits, Source, asked, check_url},
    provider::{OAuth, Protocol},
};

/// A provider, with what is known of it by now.
pub(crate) struct OAuthClient {
    pub(crate) provider: Arc<OAuth>,
    pub(super) rules: &'static Rules,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    metadata: Option<Document<Metadata>>,
    /// The keys of its ID tokens, and where they are.
    keys: Mutex<Option<(String, JwksUrl)>>,
    /// How long the access token lasts that was seen last, in seconds; 0 while none was.
    lifetime: AtomicI64,
}

/// How long one request may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// An endpoint of a provider.
#[derive(Debug, Clone, Copy)]
pub(super) enum Endpoint {
    Authorization,
    Token,
    Userinfo,
    Jwks,
    EndSession,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorization => "authorization",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
            Self::Jwks => "jwks",
            Self::EndSession => "end session",
        })
    }
}

impl OAuthClient {
    pub(crate) fn new(
        provider: Arc<OAuth>,
        rules: &'static Rules,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let metadata = match (&provider.issuer, provider.protocol) {
            (Some(issuer), Protocol::Oidc) => {
                let (issuer, quirks) = (issuer.clone(), provider.quirks);
                let place = Metadata::place(&issuer, quirks.discovery);
                let asked = Arc::clone(&provider);
                Some(Document::new(Source {
                    url: askable(&place, &provider.id)?,
                    name: "discovery document",
                    accept: "application/json",
                    client: Arc::clone(&http),
                    clock: Arc::clone(&clock),
                    limits: Limits {
                        max_age: Duration::from_secs(60 * 60),
                        min_interval: Duration::from_secs(60),
                        max_stale: Duration::from_secs(24 * 60 * 60),
                    },
                    time_limit: TIME_LIMIT,
                    is_needed: needs_discovery(&provider),
                    read: Arc::new(move |json| {
                        Metadata::read(json, &issuer, quirks.tenant_issuer, |endpoint| used(&asked, endpoint))
                    }),
                }))
            }
            _ => None,
        };
        let this = Self {
            provider,
            rules,
            http,
            clock,
            metadata,
            keys: Mutex::new(None),
            lifetime: AtomicI64::new(0),
        };
        for endpoint in [Endpoint::Token, Endpoint::Userinfo, Endpoint::Jwks] {
            if let Some(url) = this.configured(endpoint) {
                askable(&url, &this.provider.id)?;
            }
        }
        Ok(this)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// How long access tokens of this provider last, by the one that was seen last: one that lasts longer is no measure of
    /// those that come after it. Stores keep when one ends, and not when it was given.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        let seconds = self.lifetime.load(Ordering::Relaxed);
        u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// Notes that an access token which ends then was given just now.
    pub(crate) fn note_lifetime(&self, end: Timestamp) {
        let seconds = end.as_secs().saturating_sub(self.now().as_secs());
        if seconds > 0 {
            self.lifetime.store(seconds, Ordering::Relaxed);
        }
    }

    /// What the provider says of itself, where it has discovery. The first one who asks waits for it. `None`, too, while it
    /// cannot be had and everything that a sign-in needs was configured.
    pub(super) async fn metadata(&self) -> Result<Option<Arc<Metadata>>, OAuthError> {
        let Some(document) = &self.metadata else { return Ok(None) };
        match document.held() {
            (Some(metadata), fresh) => {
                if !fresh {
                    document.ask_for_newer();
                }
                Ok(Some(metadata))
            }
            (None, _) => match document.load().await {
                Err(Failure { problem, remedy }) if document.source.is_needed => {
                    Err(OAuthError::unavailable(format!("{problem}; {remedy}")))
                }
                Ok(()) | Err(_) => Ok(document.held().0),
            },
        }
    }

    /// Where an endpoint is: as it was configured, else as discovery says; `None` if there is none.
    pub(super) async fn endpoint(&self, endpoint: Endpoint) -> Result<Option<String>, OAuthError> {
        if let Some(url) = self.configured(endpoint) {
            return Ok(Some(url));
        }
        let metadata = self.metadata().await?;
        Ok(metadata.and_then(|metadata| {
            match endpoint {
                Endpoint::Authorization => &metadata.authorization_endpoint,
                Endpoint::Token => &metadata.token_endpoint,
                Endpoint::Userinfo => &metadata.userinfo_endpoint,
                Endpoint::Jwks => &metadata.jwks_uri,
                Endpoint::EndSession => &metadata.end_session_endpoint,
            }
            .clone()
        }))
    }

    /// Likewise, and it has to be there.
    pub(super) async fn required(&self, endpoint: Endpoint) -> Result<String, OAuthError> {
        self.endpoint(endpoint).await?.ok_or_else(|| {
            OAuthError::invalid(format!(
                "its discovery document names no {endpoint} endpoint that can be used: set it by hand, with \
                 OAuth::endpoints"
            ))
        })
    }

    fn configured(&self, endpoint: Endpoint) -> Option<String> {
        let issuer = self.provider.issuer.as_deref().unwrap_or_default().trim_end_matches('/');
        by_hand(&self.provider, endpoint).map(|url| url.replace("{issuer}", issuer))
    }

    /// The keys of the provider's ID tokens.
    pub(super) async fn keys(&self) -> Result<JwksUrl, OAuthError> {
        let url = self.required(Endpoint::Jwks).await?;
        let mut held = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((known, keys)) if *known == url => Ok(keys.clone()),
            _ => {
                let algorithms =
                    self.provider.algorithms.iter().copied().filter(|algorithm| !algorithm.is_symmetric());
                let keys = JwksUrl::shared(&url, algorithms, Arc::clone(&self.http), Arc::clone(&self.clock));
                let keys = keys.map_err(|error| OAuthError::invalid(error.to_string()))?;
                *held = Some((url, keys.clone()));
                Ok(keys)
            }
        }
    }

    /// Sends a request, and waits for the whole response.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OAuthError> {
        Ok(asked(&self.http, &*self.clock, TIME_LIMIT, request).await?)
    }

    /// What a response says in JSON; that it says so with a content type of JSON's is asked for, too.
    pub(super) fn json(&self, response: &Response<Bytes>) -> Result<Value, OAuthError> {
        let kind = media_type(response.headers());
        let is_json = kind == "application/json" || kind.ends_with("+json");
        if !is_json && !self.provider.quirks.any_content_type {
            let (status, kind) = (response.status(), quoted(&kind));
            return Err(OAuthError::invalid(format!("the answer ({status}) is {kind:?} and not JSON")));
        }
        serde_json::from_slice(response.body())
            .map_err(|error| OAuthError::invalid(format!("the answer is no JSON ({error})")))
    }
}

fn by_hand(provider: &OAuth, endpoint: Endpoint) -> Option<&str> {
    let endpoints = &provider.endpoints;
    match endpoint {
        Endpoint::Authorization => &endpoints.authorization,
        Endpoint::Token => &endpoints.token,
        Endpoint::Userinfo => &endpoints.userinfo,
        Endpoint::Jwks => &endpoints.jwks,
        Endpoint::EndSession => &endpoints.end_session,
    }
    .as_deref()
}

/// What this provider's sign-ins make of an endpoint of its discovery document.
fn used(provider: &OAuth, endpoint: Endpoint) -> Use {
    let is_needed = match endpoint {
        Endpoint::Authorization | Endpoint::Token => true,
        Endpoint::Userinfo => provider.reads_userinfo,
        Endpoint::Jwks => provider.algorithms.iter().any(|algorithm| !algorithm.is_symmetric()),
        Endpoint::EndSession => false,
    };
    match by_hand(provider, endpoint) {
        Some(_) => Use::ByHand,
        None if is_needed => Use::Needed,
        None => Use::Spared,
    }
}

/// Whether a sign-in needs something that stands in the discovery document alone.
fn needs_discovery(provider: &OAuth) -> bool {
    let needs = |endpoint| used(provider, endpoint) == Use::Needed;
    [Endpoint::Authorization, Endpoint::Token, Endpoint::Userinfo, Endpoint::Jwks].into_iter().any(needs)
}

/// Sorts out what is no answer at all.
pub(super) fn answered(status: StatusCode) -> Result<(), OAuthError> {
    match status {
        status if status.is_redirection() => {
            Err(OAuthError::invalid(format!("the server answered {status}, and redirects are not followed")))
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(OAuthError::unavailable(format!("the server answered {status}")))
        }
        _ => Ok(()),
    }
}

/// Opens a token with keys that may have to be read first, or again.
pub(super) async fn open(codec: &dyn Codec, token: &str) -> Result<Vec<u8>, OAuthError> {
    match codec.decode(token) {
        Ok(opened) => Ok(opened.claims),
        Err(error) if error.is_unknown_key() => {
            if let Some(newer) = codec.refresh() {
                newer.await;
            }
            Ok(codec.decode(token)?.claims)
        }
        Err(error) => Err(error.into()),
    }
}

fn askable(url: &str, provider: &str) -> Result<Uri, ConfigError> {
    let parsed = url.parse::<Uri>().map_err(|error| error.to_string());
    parsed.and_then(|url| check_url(&url).map(|()| url).map_err(|error| error.to_string())).map_err(|error| {
        ConfigError::one(
            format!("the provider {provider:?} cannot be asked at {url:?} ({error})"),
            "serve it over https; http is for localhost only",
        )
    })
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OAuthClient").field(&self.provider).finish()
    }
}
