//! One request for a document.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, StatusCode, Uri,
    header::{ACCEPT, CACHE_CONTROL},
};

use super::cache::{Failure, Fetched, Limits};
use crate::{
    clock::Clock,
    error::ConfigError,
    http_client::{HttpClient, asked, place},
};

/// Where a document is, how it is asked for, and how it is read.
pub(crate) struct Source<T> {
    pub(crate) url: Uri,
    /// What it is called in the log.
    pub(crate) name: &'static str,
    pub(crate) accept: &'static str,
    pub(crate) client: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) time_limit: Duration,
    /// Whether something does not work without it.
    pub(crate) is_needed: bool,
    pub(crate) read: Arc<Read<T>>,
}

/// What makes a document of bytes.
pub(crate) type Read<T> = dyn Fn(&[u8]) -> Result<T, ConfigError> + Send + Sync;

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self {
            url: self.url.clone(),
            client: Arc::clone(&self.client),
            clock: Arc::clone(&self.clock),
            read: Arc::clone(&self.read),
            ..*self
        }
    }
}

impl<T> Source<T> {
    /// Asks once.
    pub(super) async fn fetch(self) -> Result<Fetched<T>, Failure> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.url.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(self.accept));
        let response = match asked(&self.client, &*self.clock, self.time_limit, request).await {
            Ok(response) => response,
            Err(error) => return Err(self.failure(error, REACH)),
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
        match (self.read)(response.body()) {
            Ok(document) => Ok(Fetched { document, fresh_for: fresh_for(response.headers(), &self.limits) }),
            Err(error) => {
                let (problems, remedies): (Vec<_>, Vec<_>) = error.problems().unzip();
                Err(self.failure(problems.join(", "), &remedies.join(", ")))
            }
        }
    }

    fn failure(&self, cause: impl std::fmt::Display, remedy: &str) -> Failure {
        Failure {
            problem: format!("the {} at {} cannot be read: {cause}", self.name, place(&self.url)),
            remedy: remedy.to_owned(),
        }
    }
}

const REACH: &str = "check the URL, and that this machine can reach it";

/// `Cache-Control` makes the time shorter, not longer: a key that its issuer has withdrawn is not to be trusted for
/// longer than was configured. It cannot ask for more requests than `min_interval` allows, either.
fn fresh_for(headers: &HeaderMap, limits: &Limits) -> Duration {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn cache_control_within_bounds() {
        let limits = Limits { max_age: 10 * MINUTE, min_interval: MINUTE, max_stale: 24 * HOUR };
        for (values, seconds) in [
            (&[][..], 600),
            (&["max-age=300"], 300),
            (&["public, max-age=300, must-revalidate"], 300),
            (&["Max-Age=300"], 300),
            (&["max-age=\"300\""], 300),
            (&["max-age = 300"], 300),
            (&["public", "max-age=300"], 300),
            (&["max-age=86400"], 600),
            (&["max-age=99999999999999999999"], 600),
            (&["max-age=-1"], 600),
            (&["max-age"], 600),
            (&["s-maxage=60"], 600),
            (&["max-age=0"], 60),
            (&["no-store"], 60),
            (&["no-cache, max-age=300"], 60),
            (&["\u{e9}"], 600),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(fresh_for(&headers, &limits), Duration::from_secs(seconds), "{values:?}");
        }
        let odd = Limits { max_age: Duration::ZERO, min_interval: MINUTE, max_stale: HOUR };
        assert_eq!(fresh_for(&HeaderMap::new(), &odd), MINUTE);
    }
}
