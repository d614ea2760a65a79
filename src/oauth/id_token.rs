//! ID tokens (OpenID Connect Core sections 2 and 3.1.3.7).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::{
    client::{OAuthClient, open},
    error::{OAuthError, quoted},
    members::Members,
};
use crate::{
    clock::Timestamp,
    codec::{Jws, JwsKeys},
    secret::Secret,
};

/// How far the clocks of two servers may differ, in seconds.
const LEEWAY: i64 = 10;

/// A signed token of the provider, opened: whoever signed it holds one of its keys.
pub(super) struct Signed {
    pub(super) header: Header,
    pub(super) claims: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) typ: Option<String>,
}

impl OAuthClient {
    /// The claims of an ID token that was made for this sign-in.
    pub(crate) async fn verified(
        &self,
        id_token: &str,
        nonce: Option<&str>,
        access_token: Option<&str>,
    ) -> Result<Map<String, Value>, OAuthError> {
        let outcome = self.judged(id_token, nonce, access_token).await;
        outcome.map_err(|error| error.about("the ID token is refused"))
    }

    async fn judged(
        &self,
        id_token: &str,
        nonce: Option<&str>,
        access_token: Option<&str>,
    ) -> Result<Map<String, Value>, OAuthError> {
        let Signed { header, claims } = self.signed(id_token).await?;
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(OAuthError::invalid("it is a token of another kind"));
        }
        self.judge_parties(&claims).await?;
        judge_times(&claims, self.now())?;
        if claims.get("sub").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(OAuthError::invalid("it does not say whom it is about"));
        }
        if let Some(nonce) = nonce {
            let given = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
            if !bool::from(given.as_bytes().ct_eq(nonce.as_bytes())) {
                return Err(OAuthError::invalid("its nonce is not the one that was sent"));
            }
        }
        match (claims.get("at_hash"), access_token) {
            (Some(Value::String(hash)), Some(access_token))
                if half_hash(&header.alg, access_token) == *hash => {}
            (Some(_), Some(_)) => return Err(OAuthError::invalid("its at_hash is not of the access token")),
            _ => {}
        }
        Ok(claims)
    }

    /// Opens a token that the provider has signed.
    pub(super) async fn signed(&self, token: &str) -> Result<Signed, OAuthError> {
        let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let header: Header = header
            .filter(|header| header.starts_with(b"{"))
            .and_then(|header| serde_json::from_slice(&header).ok())
            .ok_or_else(|| OAuthError::invalid("it has no header"))?;
        let claims = match self.secret_codec(&header.alg)? {
            Some(codec) => open(&codec, token).await?,
            None => open(&self.keys().await?, token).await?,
        };
        let Members(claims) = serde_json::from_slice(&claims)
            .map_err(|error| OAuthError::invalid(format!("its claims cannot be read ({error})")))?;
        Ok(Signed { header, claims })
    }

    /// For tokens that are signed with the client secret, where that is configured.
    fn secret_codec(&self, alg: &str) -> Result<Option<Jws>, OAuthError> {
        let algorithms = &self.provider.algorithms;
        let named = algorithms.iter().find(|algorithm| algorithm.is_symmetric() && algorithm.name() == alg);
        let (Some(algorithm), Some(secret)) = (named, self.provider.authentication.secret()) else {
            return Ok(None);
        };
        // The provider has chosen it, so its strength is not for this side to judge.
        let keys = JwsKeys::secret(&Secret::new_unchecked(secret));
        Jws::new(*algorithm, keys).map(Some).map_err(|error| OAuthError::invalid(error.to_string()))
    }

    /// Who has made it, for whom, and about whom.
    pub(super) async fn judge_parties(&self, claims: &Map<String, Value>) -> Result<(), OAuthError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let issuer = self.issuer().await?;
        let issuer = match self.provider.quirks.tenant_issuer {
            true => issuer.replace("{tenantid}", text("tid")),
            false => issuer,
        };
        if issuer.is_empty() || text("iss") != issuer {
            let (came, expected) = (quoted(text("iss")), quoted(&issuer));
            return Err(OAuthError::invalid(format!("it was issued by {came:?}, and not by {expected:?}")));
        }
        let client_id = self.provider.client_id.as_str();
        let audiences: Vec<&str> = match claims.get("aud") {
            Some(Value::String(audience)) => vec![audience],
            // One that is no text spoils the list.
            Some(Value::Array(list)) => {
                list.iter().map(Value::as_str).collect::<Option<_>>().unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if !audiences.contains(&client_id) {
            let (came, expected) = (quoted(&audiences.join(" ")), quoted(client_id));
            return Err(OAuthError::invalid(format!(
                "it was issued for {came:?}, and not for the client {expected:?}"
            )));
        }
        let party = claims.get("azp");
        if (audiences.len() > 1 || party.is_some()) && party.and_then(Value::as_str) != Some(client_id) {
            return Err(OAuthError::invalid("it was issued to somebody else (azp)"));
        }
        Ok(())
    }

    /// The issuer as it writes itself.
    pub(super) async fn issuer(&self) -> Result<String, OAuthError> {
        let known = self.metadata().await?.map(|metadata| metadata.issuer.clone());
        Ok(known.or_else(|| self.provider.issuer.clone()).unwrap_or_default())
    }
}

/// Whether it is good now.
pub(super) fn judge_times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), OAuthError> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(seconds)) => Ok(seconds.as_f64().map(|seconds| seconds as i64)),
        Some(_) => Err(OAuthError::invalid(format!("its {name} is no number"))),
    };
    let now = now.as_secs();
    let not_before = seconds("nbf")?;
    match (seconds("exp")?, seconds("iat")?) {
        (Some(end), _) if end <= now - LEEWAY => Err(OAuthError::invalid("it has expired")),
        (Some(_), Some(issued)) if issued > now + LEEWAY => {
            Err(OAuthError::invalid("it was issued in the future: compare the clocks of the two servers"))
        }
        (Some(_), Some(_)) if not_before.is_some_and(|from| from > now + LEEWAY) => {
            Err(OAuthError::invalid("it is not good yet"))
        }
        (Some(_), Some(_)) => Ok(()),
        (None, _) | (_, None) => {
            Err(OAuthError::invalid("it does not say when it was issued and when it ends"))
        }
    }
}

/// The left half of a hash, with the hash of the token's own algorithm (OpenID Connect Core section 3.1.3.6).
fn half_hash(alg: &str, access_token: &str) -> String {
    let hash = match alg.get(2..) {
        Some("256") => Sha256::digest(access_token).to_vec(),
        Some("384") => Sha384::digest(access_token).to_vec(),
        _ => Sha512::digest(access_token).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}
