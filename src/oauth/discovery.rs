//! What an OpenID provider says of itself (OpenID Connect Discovery section 3, RFC 8414, RFC 9207 section 3).

use http::Uri;
use serde::Deserialize;

use super::client::Endpoint;
use crate::{
    error::ConfigError,
    http_client::{check_url, is_local},
};

/// A discovery document, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) jwks_uri: Option<String>,
    pub(super) end_session_endpoint: Option<String>,
    /// Its answers name it (RFC 9207), so one that does not is somebody else's.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// What a site makes of an endpoint that a document names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// No sign-in without it.
    Needed,
    /// Sign-ins go without it.
    Spared,
    /// Nothing: it was configured.
    ByHand,
}

impl Metadata {
    /// Where the document of an issuer is. `path` stands in between, with a provider that has it elsewhere.
    pub(super) fn place(issuer: &str, path: &str) -> String {
        format!("{}{path}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads a document that has to be of this issuer. `tenants`: its issuer may be a template of theirs.
    ///
    /// An endpoint that may not be asked is left out, unless it is needed: then all of it is refused, and one that was read
    /// before stays in use.
    pub(super) fn read(
        json: &[u8],
        issuer: &str,
        tenants: bool,
        used: impl Fn(Endpoint) -> Use,
    ) -> Result<Self, ConfigError> {
        let problem = |problem: String, remedy: &'static str| Err(ConfigError::one(problem, remedy));
        // A derived reader would take a list of values in order, too.
        let text = if json.trim_ascii_start().starts_with(b"{") { json } else { b"" };
        let mut metadata: Self = match serde_json::from_slice(text) {
            Ok(metadata) => metadata,
            Err(error) => {
                return problem(
                    format!("it is no discovery document ({error})"),
                    "check the issuer: its URL, with /.well-known/openid-configuration behind it, leads there",
                );
            }
        };
        let is_template = tenants && metadata.issuer.contains("{tenantid}");
        if metadata.issuer != issuer && !is_template {
            return problem(
                format!("it is of the issuer {:?}, and not of {issuer:?}", metadata.issuer),
                "set the issuer exactly as the document writes it, with or without a slash at the end",
            );
        }
        let issuer_is_local = issuer.parse::<Uri>().is_ok_and(|url| is_local(&url));
        for (endpoint, named) in metadata.endpoints() {
            let used = used(endpoint);
            if used == Use::ByHand {
                *named = None;
            }
            let Some((fault, remedy)) = named.as_deref().and_then(|url| fault(url, issuer_is_local)) else {
                continue;
            };
            let what = format!("its {endpoint} endpoint {:?} {fault}", named.as_deref().unwrap_or_default());
            if used == Use::Needed {
                return problem(what, remedy);
            }
            tracing::warn!("the discovery document of {issuer:?}: {what}, so it is left out; {remedy}");
            *named = None;
        }
        Ok(metadata)
    }

    fn endpoints(&mut self) -> [(Endpoint, &mut Option<String>); 5] {
        [
            (Endpoint::Authorization, &mut self.authorization_endpoint),
            (Endpoint::Token, &mut self.token_endpoint),
            (Endpoint::Userinfo, &mut self.userinfo_endpoint),
            (Endpoint::Jwks, &mut self.jwks_uri),
            (Endpoint::EndSession, &mut self.end_session_endpoint),
        ]
    }
}

/// Why nobody may be sent to an endpoint, and what to do about it.
fn fault(url: &str, issuer_is_local: bool) -> Option<(&'static str, &'static str)> {
    let parsed = url.parse::<Uri>().ok();
    // A document from outside must not point to what listens on this machine alone.
    if parsed.as_ref().is_some_and(is_local) && !issuer_is_local {
        return Some((
            "leads to this machine, where its issuer is not",
            "mend the provider's public address, or set the endpoint by hand, with OAuth::endpoints",
        ));
    }
    let may_be_asked = parsed.as_ref().is_some_and(|url| check_url(url).is_ok());
    (!may_be_asked).then_some(("is no https URL", "set the endpoint by hand, with OAuth::endpoints"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: serde_json::Value, issuer: &str, tenants: bool) -> Result<Metadata, String> {
        let document = document.to_string();
        Metadata::read(document.as_bytes(), issuer, tenants, |_| Use::Needed)
            .map_err(|error| error.to_string())
    }

    /// S34: the issuer of the document is the configured one, to the letter.
    #[test]
    fn s34_the_issuer_is_pinned() {
        let issuer = "https://id.example/realms/main";
        assert!(read(json!({ "issuer": issuer }), issuer, false).is_ok());
        for other in [
            "https://id.example/realms/main/",
            "https://id.example/realms/Main",
            "https://id.example/realms",
            "https://id.example:443/realms/main",
            "https://id.example.evil.example/realms/main",
            "http://id.example/realms/main",
            "https://id.example/realms/{tenantid}",
            "",
        ] {
            let error = read(json!({ "issuer": other }), issuer, false).unwrap_err();
            assert!(error.contains("exactly as the document writes it"), "{other}: {error}");
        }
        let template = json!({ "issuer": "https://login.example/{tenantid}/v2.0" });
        assert!(read(template, "https://login.example/common/v2.0", true).is_ok());
        for text in ["", "[]", "null", "{", "[\"https://id.example\"]"] {
            assert!(
                Metadata::read(text.as_bytes(), "https://id.example", false, |_| Use::Needed).is_err(),
                "{text}"
            );
        }
    }

    /// One that leads inside is not told that it is no https URL, which it may be.
    #[test]
    fn an_endpoint_that_leads_inside_has_its_own_words() {
        for (endpoint, words) in [
            ("https://localhost/token", "leads to this machine"),
            ("http://127.0.0.1:80/token", "leads to this machine"),
            ("http://id.example/token", "is no https URL"),
        ] {
            let document = json!({ "issuer": "https://id.example", "token_endpoint": endpoint });
            let error = read(document, "https://id.example", false).unwrap_err();
            assert!(error.contains(words), "{endpoint}: {error}");
        }
    }

    /// S39, S40: a document leads neither to plain http nor to this machine, unless its issuer is there.
    #[test]
    fn s40_endpoints_that_lead_elsewhere() {
        for (issuer, endpoint, taken) in [
            ("https://id.example", "https://id.example/token", true),
            ("https://id.example", "https://other.example/token", true),
            ("https://id.example", "http://id.example/token", false),
            ("https://id.example", "http://127.0.0.1:80/token", false),
            ("https://id.example", "https://localhost/token", false),
            ("https://id.example", "https://[::1]/token", false),
            ("https://id.example", "file:///etc/passwd", false),
            ("https://id.example", "/token", false),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000/token", true),
        ] {
            for name in [
                "authorization_endpoint",
                "token_endpoint",
                "userinfo_endpoint",
                "jwks_uri",
                "end_session_endpoint",
            ] {
                let document = json!({ "issuer": issuer, name: endpoint });
                let named = |used| {
                    let mut read =
                        Metadata::read(document.to_string().as_bytes(), issuer, false, |_| used).ok()?;
                    Some(read.endpoints().into_iter().any(|(_, named)| named.is_some()))
                };
                let case = format!("{issuer}: {name} {endpoint}");
                assert_eq!(named(Use::Needed), taken.then_some(true), "{case}");
                assert_eq!(named(Use::Spared), Some(taken), "{case}");
                assert_eq!(named(Use::ByHand), Some(false), "{case}");
            }
        }
    }
}
