//! The session at a provider that a session here was begun with: for those who sign out there, too.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Claims;

/// A provider, and the session there. It stands in the member `idp` of a token's claims, or of a row's data: in those of
/// every session, where one provider has federated logout, so that one without it is one that others have made, or that
/// has no place for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upstream {
    /// The provider's id.
    #[serde(rename = "id")]
    pub(crate) provider: String,
    /// What the provider calls the session (`sid` of the ID token).
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// What it calls the user.
    #[serde(rename = "sub", default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
}

impl Upstream {
    /// Where it is kept.
    pub(crate) const MEMBER: &str = "idp";

    /// Of the claims of a token, or of a row's data.
    pub(crate) fn of(members: &Map<String, Value>) -> Option<Self> {
        Self::deserialize(members.get(Self::MEMBER)?).ok()
    }

    /// Notes how a session was begun, whatever a callback has written there: it may be what a client sent. What an
    /// application calls by that name and says something else is its own.
    pub(crate) fn note(upstream: Option<&Self>, members: &mut Map<String, Value>) {
        match upstream {
            Some(upstream) => drop(members.insert(Self::MEMBER.to_owned(), upstream.to_value())),
            None if Self::of(members).is_some() => drop(members.shift_remove(Self::MEMBER)),
            None => {}
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// How a list of revocations names the session at the provider, and with it all that were begun here with it.
    pub(crate) fn revoked_as(&self) -> Option<String> {
        Some(named(&self.provider, self.session.as_ref()?))
    }

    /// Whether a name on such a list may be one of these.
    pub(crate) fn is_name(name: &str) -> bool {
        name.strip_prefix(Self::MEMBER).is_some_and(|rest| rest.starts_with(':'))
    }

    /// Under whose name such a list has the sessions of a user of this provider that do not say which there they were
    /// begun with.
    pub(crate) fn user(provider: &str, subject: &str) -> String {
        named(provider, subject)
    }

    /// The same for those that do say it: they end with logouts that name the user alone.
    pub(crate) fn user_in_sessions(provider: &str, subject: &str) -> String {
        format!("{}:any", named(provider, subject))
    }

    /// The same for those of a user here that do not even say how they were begun.
    pub(crate) fn unsaid(user_id: &str) -> String {
        named("", user_id) // No provider has this id.
    }

    /// Among whose a token is, of these.
    pub(crate) fn user_of(claims: &Claims) -> Option<String> {
        match Self::of(claims.members()) {
            // Whoever is in no store has signed in with a password: their id is not of whom the provider tells.
            None if claims.is_unstored() => None,
            None => Some(Self::unsaid(&claims.subject()?)),
            Some(Self { session, subject: Some(subject), provider }) => Some(match session {
                None => Self::user(&provider, &subject),
                Some(_) => Self::user_in_sessions(&provider, &subject),
            }),
            Some(_) => None,
        }
    }
}

/// Hashed: the provider chooses it, and how long it is.
fn named(provider: &str, what: &str) -> String {
    let hash = Sha256::new().chain_update(provider).chain_update([0]).chain_update(what);
    format!("{}:{}", Upstream::MEMBER, URL_SAFE_NO_PAD.encode(hash.finalize()))
}
