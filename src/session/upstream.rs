//! The session at a provider that a session here was begun with: for those who sign out there, too.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A provider, and the session there. It stands in the member `idp` of a token's claims, or of a row's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upstream {
    /// The provider's id.
    #[serde(rename = "id")]
    pub(crate) provider: String,
    /// What the provider calls the session (`sid` of the ID token).
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
}

impl Upstream {
    /// Where it is kept.
    pub(crate) const MEMBER: &str = "idp";

    /// Of the claims of a token, or of a row's data.
    pub(crate) fn of(members: &Map<String, Value>) -> Option<Self> {
        Self::deserialize(members.get(Self::MEMBER)?).ok()
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// How a list of revocations names the session at the provider, and with it all that were begun here with it.
    pub(crate) fn revoked_as(&self) -> Option<String> {
        // Hashed: the provider chooses it, and how long it is.
        let named =
            Sha256::new().chain_update(&self.provider).chain_update([0]).chain_update(self.session.as_ref()?);
        Some(format!("{}:{}", Self::MEMBER, URL_SAFE_NO_PAD.encode(named.finalize())))
    }
}
