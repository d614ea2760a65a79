//! Signing out at the provider, and being told that somebody has signed out there (OpenID Connect RP-Initiated Logout,
//! OpenID Connect Back-Channel Logout).

use serde_json::{Map, Value};
use url::Url;

use super::{
    checks::sha256,
    client::{Endpoint, OAuthClient},
    error::OAuthError,
    id_token::{Signed, judge_times},
    used::LOGOUT,
};
use crate::clock::Timestamp;

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How old a logout token may be, in seconds: a replay is recognised for longer than that.
const MAX_AGE: i64 = 2 * 60;

/// Who has signed out at the provider.
pub(crate) struct LogoutToken {
    /// The user's id at the provider.
    pub(crate) subject: Option<String>,
    /// The session there.
    pub(crate) session: Option<String>,
    /// By which it is known whether it was used.
    pub(crate) hash: String,
    /// Until when that is remembered.
    pub(crate) forgotten: Timestamp,
}

impl OAuthClient {
    /// Where a browser signs out at the provider; `None` if it cannot. `return_to` has to be registered there.
    pub(crate) async fn end_session_url(
        &self,
        id_token_hint: Option<&str>,
        return_to: &str,
    ) -> Result<Option<String>, OAuthError> {
        let Some(endpoint) = self.endpoint(Endpoint::EndSession).await? else {
            tracing::warn!(
                provider = %self.provider.id,
                "a user was signed out here and not at the provider: it names no end_session_endpoint; set it with \
                 Endpoints::end_session, or remove .federated_logout()"
            );
            return Ok(None);
        };
        let mut url = Url::parse(&endpoint)
            .map_err(|error| OAuthError::invalid(format!("its end session endpoint is no URL ({error})")))?;
        let mut query = url.query_pairs_mut();
        if let Some(hint) = id_token_hint {
            query.append_pair("id_token_hint", hint);
        }
        query.append_pair("client_id", &self.provider.client_id);
        query.append_pair("post_logout_redirect_uri", return_to);
        drop(query);
        Ok(Some(url.into()))
    }

    /// Judges a logout token (OpenID Connect Back-Channel Logout section 2.6).
    pub(crate) async fn logout_token(&self, token: &str) -> Result<LogoutToken, OAuthError> {
        let Signed { header, claims } = self.signed(token).await?;
        // A token of another kind that the provider has signed for this client, such as an ID token, is none.
        if !header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case("logout+jwt")) {
            return Err(OAuthError::invalid("its type is not logout+jwt"));
        }
        self.judge_parties(&claims).await?;
        let now = self.now();
        judge_times(&claims, now)?;
        let issued = claims.get("iat").and_then(Value::as_i64).unwrap_or_default();
        if issued < now.as_secs() - MAX_AGE {
            return Err(OAuthError::invalid("it is older than two minutes"));
        }
        let event = claims.get("events").and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) || claims.contains_key("nonce") {
            return Err(OAuthError::invalid("it is not about a logout"));
        }
        let id = text(&claims, "jti").ok_or_else(|| OAuthError::invalid("it has no jti"))?;
        let logout = LogoutToken {
            subject: text(&claims, "sub"),
            session: text(&claims, "sid"),
            hash: LOGOUT.to_owned() + &sha256(&format!("{} {id}", self.provider.id)),
            forgotten: Timestamp::from_secs(now.as_secs() + 2 * MAX_AGE),
        };
        match (&logout.subject, &logout.session) {
            (None, None) => Err(OAuthError::invalid("it names neither a user nor a session")),
            _ => Ok(logout),
        }
    }
}

fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}
