//! What `getProviders` tells.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ClientError;

/// A way to sign in, as the server tells it to anybody (`docs/protocol.md` section 6).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ClientSafeProvider {
    /// What [`sign_in`](super::Client::sign_in) calls it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `oauth`, `oidc`, `email`, `credentials`, or what later versions of Auth.js add.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where its sign-in begins.
    #[serde(rename = "signinUrl")]
    pub signin_url: String,
    /// Where its sign-in comes back to.
    #[serde(rename = "callbackUrl")]
    pub callback_url: String,
    /// What else there is.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ClientSafeProvider {
    pub(super) fn read(value: Value) -> Result<Self, ClientError> {
        serde_json::from_value(value)
            .map_err(|_| ClientError::shape("the list of providers", "as Auth.js does"))
    }
}
