//! One request for a set.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, CACHE_CONTROL},
};

use super::{
    super::{Algorithms, JwkSet},
    cache::{Failure, Fetched, Limits},
};
use crate::{
    clock::{Clock, within},
    http_client::{HttpClient, HttpError},
};

/// Where a set is, and how it is asked for.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) url: Uri,
    pub(super) algorithms: Algorithms,
    pub(super) client: Arc<dyn HttpClient>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) time_limit: Duration,
}

impl Source {
    /// The URL for people to read: without its query, which may hold a key.
    pub(super) fn place(&self) -> String {
        let authority = self.url.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}{}", self.url.scheme_str().unwrap_or_default(), self.url.path())
    }

    /// Asks once.
    pub(super) async fn fetch(self) -> Result<Fetched, Failure> {
        let response = match within(&*self.clock, self.time_limit, self.ask()).await {
            Some(Some(Ok(response))) => response,
            Some(Some(Err(error))) => return Err(self.failure(error, REACH)),
            Some(None) => {
                return Err(self.failure("the HTTP client panicked", "mend the client; see the log"));
            }
            None => return Err(self.failure(HttpError::timeout(), REACH)),
        };
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => {
                return Err(self.failure(
                    format!("the server answered {status}, and redirects are not followed"),
                    "configure the URL that it leads to",
                ));
            }
            status => return Err(self.failure(format!("the server answered {status}"), REACH)),
        }
        match JwkSet::read(response.body(), self.algorithms.clone()) {
            Ok(set) => Ok(Fetched { set, fresh_for: fresh_for(response.headers(), &self.limits) }),
            Err(error) => {
                let (problems, remedies): (Vec<_>, Vec<_>) = error.problems().unzip();
                Err(self.failure(problems.join(", "), &remedies.join(", ")))
            }
        }
    }

    /// `None` if the client panics: it may be code of the application.
    async fn ask(&self) -> Option<Result<Response<Bytes>, HttpError>> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.url.clone();
        let accept = HeaderValue::from_static("application/jwk-set+json, application/json");
        request.headers_mut().insert(ACCEPT, accept);
        let mut answer = pin!(async { self.client.send(request).await });
        poll_fn(|cx| {
            catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx).map(Some))).unwrap_or(Poll::Ready(None))
        })
        .await
    }

    fn failure(&self, cause: impl std::fmt::Display, remedy: &str) -> Failure {
        Failure {
            problem: format!("the key set at {} cannot be read: {cause}", self.place()),
            remedy: remedy.to_owned(),
        }
    }
}

const REACH: &str = "check the URL, and that this machine can reach it";

/// `Cache-Control` makes the time shorter, not longer: a key that the issuer has withdrawn is not to be trusted for
/// longer than was configured. It cannot ask for more requests than `min_interval` allows, either.
pub(super) fn fresh_for(headers: &HeaderMap, limits: &Limits) -> Duration {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let asked = directives.flat_map(|value| value.split(',')).filter_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(Duration::ZERO),
            "max-age" => value.trim().trim_matches('"').parse().ok().map(Duration::from_secs),
            _ => None,
        }
    });
    asked.min().unwrap_or(limits.max_age).min(limits.max_age).max(limits.min_interval)
}
