//! What a browser has asked for, in a sealed cookie of its own.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::Code;
use crate::{
    clock::Timestamp,
    codec::{self, Codec, CodecError},
    cookie::{CookieHeaders, CookieNames, CookieSpec, SetCookie},
    dialect::Rules,
    secret::Secret,
};

/// The mail that a browser has asked for last.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) provider: String,
    pub(crate) email: String,
    /// What the store keeps the link as, which is not the link.
    pub(crate) link: String,
    /// What stands beside the link, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
    #[serde(rename = "exp")]
    end: i64,
}

/// The cookie at http and at https, each with what seals it.
pub(crate) struct AskedCookie {
    schemes: [(CookieSpec, Arc<dyn Codec>); 2],
}

impl Asked {
    pub(crate) fn new(provider: &str, email: &str, link: &str, code: Option<Code>, end: Timestamp) -> Self {
        let [provider, email, link] = [provider, email, link].map(str::to_owned);
        Self { provider, email, link, code, end: end.as_secs() }
    }
}

impl AskedCookie {
    /// `names` are those at http and at https.
    pub(crate) fn new(rules: &Rules, secret: &Secret, names: [&CookieNames; 2]) -> Self {
        let schemes = names.map(|names| {
            let spec = names.email.clone();
            let codec = codec::for_purpose(rules.token, secret, &spec.name);
            (spec, codec)
        });
        Self { schemes }
    }

    pub(crate) fn set(&self, asked: &Asked, https: bool, now: Timestamp) -> Result<SetCookie, CodecError> {
        let (spec, codec) = self.scheme(https);
        let sealed = codec.encode(&serde_json::to_vec(asked).unwrap_or_default())?;
        let seconds = u64::try_from(asked.end - now.as_secs()).unwrap_or_default();
        Ok(spec.set_for(&spec.name, &sealed, Duration::from_secs(seconds), now))
    }

    /// What this browser has asked this provider for, if that is still good.
    pub(crate) fn find(
        &self,
        provider: &str,
        request: &CookieHeaders<'_>,
        https: bool,
        now: Timestamp,
    ) -> Option<Asked> {
        let (spec, codec) = self.scheme(https);
        let opened = codec.decode(&request.find(&spec.name)?).ok()?;
        let asked: Asked = serde_json::from_slice(&opened.claims).ok()?;
        (asked.provider == provider && asked.end > now.as_secs()).then_some(asked)
    }

    pub(crate) fn remove(&self, https: bool, now: Timestamp) -> SetCookie {
        let (spec, _) = self.scheme(https);
        spec.remove(&spec.name, now)
    }

    fn scheme(&self, https: bool) -> &(CookieSpec, Arc<dyn Codec>) {
        &self.schemes[usize::from(https)]
    }
}
