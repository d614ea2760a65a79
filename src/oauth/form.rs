//! What a provider has posted, carried over to a request of this site's own.
//!
//! A post from another site comes without the cookies that are `SameSite=Lax`: neither those that bind the answer to
//! its browser nor the session's. So it is answered with a redirect to the same endpoint, which the browser follows
//! with its cookies. The form goes along sealed: the code and the user's name are in nobody's log.

use std::{collections::BTreeMap, sync::Arc};

use crate::{clock::Timestamp, codec::Codec};

/// How long the browser may take to follow, in seconds.
const SECONDS: i64 = 60;

/// Seals forms and opens them again.
pub(crate) struct PostedForm {
    codec: Arc<dyn Codec>,
}

impl PostedForm {
    /// The parameter of the redirect.
    pub(crate) const PARAMETER: &str = "posted";

    /// The fields that a provider posts (RFC 6749 section 4.1.2, RFC 9207 section 2; `user` is Apple's).
    pub(crate) const FIELDS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "user"];

    pub(super) fn new(codec: Arc<dyn Codec>) -> Self {
        Self { codec }
    }

    /// The known fields of a form, for the redirect to `provider`'s callback.
    pub(crate) fn seal<'f>(
        &self,
        provider: &str,
        field: impl Fn(&'static str) -> Option<&'f str>,
        now: Timestamp,
    ) -> Option<String> {
        let fields: BTreeMap<_, _> =
            Self::FIELDS.iter().filter_map(|name| Some((*name, field(name)?))).collect();
        let end = now.as_secs() + SECONDS;
        let claims = serde_json::json!({ "provider": provider, "fields": fields, "exp": end });
        self.codec.encode(claims.to_string().as_bytes()).ok()
    }

    /// The fields of a form that was posted for this provider a moment ago.
    pub(crate) fn open(
        &self,
        provider: &str,
        sealed: &str,
        now: Timestamp,
    ) -> Option<BTreeMap<String, String>> {
        #[derive(serde::Deserialize)]
        struct Sealed {
            provider: String,
            fields: BTreeMap<String, String>,
            exp: i64,
        }
        let claims = self.codec.decode(sealed).ok()?.claims;
        let sealed: Sealed = serde_json::from_slice(&claims).ok()?;
        (sealed.provider == provider && sealed.exp > now.as_secs()).then_some(sealed.fields)
    }
}
