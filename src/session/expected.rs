//! What a token must say beyond its times, where an application asks for it.

use serde::Deserialize;

/// The `iss` and `aud` that count (RFC 7519 sections 4.1.1 and 4.1.3); any, by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    iss: Option<String>,
    aud: Option<Audience>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Expected {
    /// Whether the claims say it. Claims of another type say nothing.
    pub(crate) fn admits(&self, claims: &[u8]) -> bool {
        if self.issuer.is_none() && self.audience.is_none() {
            return true;
        }
        let Ok(Said { iss, aud }) = serde_json::from_slice(claims) else { return false };
        let issued = self.issuer.is_none() || self.issuer == iss;
        let meant = self.audience.as_ref().is_none_or(|wanted| match &aud {
            Some(Audience::One(audience)) => audience == wanted,
            Some(Audience::Several(audiences)) => audiences.contains(wanted),
            None => false,
        });
        issued && meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_and_audience() {
        let expected = |issuer: Option<&str>, audience: Option<&str>| Expected {
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
        };
        for (issuer, audience, claims, admitted) in [
            (None, None, "{}", true),
            (None, None, r#"{"iss":7,"aud":{}}"#, true),
            (Some("a"), None, r#"{"iss":"a"}"#, true),
            (Some("a"), None, r#"{"iss":"A"}"#, false),
            (Some("a"), None, r#"{"iss":["a"]}"#, false),
            (Some("a"), None, "{}", false),
            (None, Some("x"), r#"{"aud":"x"}"#, true),
            (None, Some("x"), r#"{"aud":["y","x"]}"#, true),
            (None, Some("x"), r#"{"aud":["y"]}"#, false),
            (None, Some("x"), r#"{"aud":"xy"}"#, false),
            (None, Some("x"), r#"{"aud":[["x"]]}"#, false),
            (None, Some("x"), r#"{"aud":null}"#, false),
            (None, Some("x"), "{}", false),
            (Some("a"), Some("x"), r#"{"iss":"a","aud":"x"}"#, true),
            (Some("a"), Some("x"), r#"{"iss":"b","aud":"x"}"#, false),
            (Some("a"), Some("x"), r#"{"iss":"a","iss":"b","aud":"x"}"#, false),
        ] {
            assert_eq!(expected(issuer, audience).admits(claims.as_bytes()), admitted, "{claims}");
        }
    }
}
