//! What an OpenID provider says of itself (OpenID Connect Discovery section 3, RFC 8414, RFC 9207 section 3).

use http::Uri;
use serde::Deserialize;

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

impl Metadata {
    /// Where the document of an issuer is. `path` stands in between, with a provider that has it elsewhere.
    pub(super) fn place(issuer: &str, path: &str) -> String {
        format!("{}{path}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads a document that has to be of this issuer. `tenants`: its issuer may be a template of theirs.
    pub(super) fn read(json: &[u8], issuer: &str, tenants: bool) -> Result<Self, ConfigError> {
        let problem = |problem: String, remedy: &'static str| Err(ConfigError::one(problem, remedy));
        // A derived reader would take a list of values in order, too.
        let text = if json.trim_ascii_start().starts_with(b"{") { json } else { b"" };
        let metadata: Self = match serde_json::from_slice(text) {
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
        for url in metadata.endpoints() {
            let parsed = url.parse::<Uri>().ok();
            let may_be_asked = parsed.as_ref().is_some_and(|url| check_url(url).is_ok());
            // A document from outside must not point to what listens on this machine alone.
            let leads_inside = parsed.as_ref().is_some_and(is_local) && !issuer_is_local;
            if leads_inside {
                return problem(
                    format!("its endpoint {url:?} leads to this machine, where its issuer is not"),
                    "mend the provider's public address, or set the endpoint by hand, with OAuth::endpoints",
                );
            }
            if !may_be_asked {
                return problem(
                    format!("its endpoint {url:?} is no https URL"),
                    "set the endpoint by hand, with OAuth::endpoints",
                );
            }
        }
        Ok(metadata)
    }

    fn endpoints(&self) -> impl Iterator<Item = &String> {
        [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.userinfo_endpoint,
            &self.jwks_uri,
            &self.end_session_endpoint,
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: serde_json::Value, issuer: &str, tenants: bool) -> Result<Metadata, String> {
        Metadata::read(document.to_string().as_bytes(), issuer, tenants).map_err(|error| error.to_string())
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
            assert!(Metadata::read(text.as_bytes(), "https://id.example", false).is_err(), "{text}");
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
                assert_eq!(read(document, issuer, false).is_ok(), taken, "{issuer}: {name} {endpoint}");
            }
        }
    }
}
