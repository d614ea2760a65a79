//! Tokens of others, verified with the public keys that they publish (RFC 7517).
//!
//! RFC 8725 is followed in this: which algorithms are taken is configured, never read from a token or a set
//! (section 3.1); a key is used for what it says it is for (sections 3.1 and 3.5); keys and URLs in a token's header
//! are not looked at (section 3.10).

mod header;
mod key;
#[cfg(test)]
mod tests;
mod url;

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::url::JwksUrl;

use self::{
    header::SignedHeader,
    key::{LeftOut, PublicKey},
};
use super::{
    Codec, Opened, compact,
    error::{CodecError, Kind},
    jws::{Family, JwsAlgorithm, SignedToken, needs_secret},
};
use crate::error::ConfigError;

/// The longest set that is read, in bytes.
const MAX_SET_BYTES: usize = 1024 * 1024;
/// The most keys that a set may have. Large identity providers publish about twenty.
const MAX_KEYS: usize = 100;

/// A JSON Web Key Set: reads the tokens that the holders of its keys have signed, and cannot write.
///
/// A token names its key by `kid`. One that names none is read only if exactly one key fits its algorithm.
/// Keys that do not fit (for encryption, of an unknown kind, for an algorithm that is not in the list) are left out,
/// since issuers publish such keys beside the others.
///
/// For a set that is published under a URL, and changes: [`JwksUrl`].
///
/// ```
/// use portcullis::codec::{Codec, JwkSet, JwsAlgorithm};
///
/// let set = JwkSet::from_json(
///     r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-01",
///                   "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
///     [JwsAlgorithm::EdDSA],
/// )?;
///
/// // An algorithm that is not in the list is refused before any key is looked at.
/// let error = set.decode("eyJhbGciOiJub25lIn0.e30.").unwrap_err();
/// assert!(!error.is_unknown_key());
/// // {"alg":"EdDSA","kid":"2026-02"}
/// let error = set.decode("eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYtMDIifQ.e30.AAAA").unwrap_err();
/// assert!(error.is_unknown_key());
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct JwkSet {
    algorithms: Algorithms,
    keys: Vec<PublicKey>,
}

impl JwkSet {
    /// Reads a set for tokens of these algorithms.
    ///
    /// # Errors
    ///
    /// When an algorithm is for shared secrets or there is none; when the text is no set, is longer than 1 MiB or
    /// has more than 100 keys; when no key of it can be used.
    pub fn from_json(
        json: &str,
        algorithms: impl IntoIterator<Item = JwsAlgorithm>,
    ) -> Result<Self, ConfigError> {
        Self::read(json.as_bytes(), Algorithms::new(algorithms)?)
    }

    fn read(json: &[u8], algorithms: Algorithms) -> Result<Self, ConfigError> {
        let members = members(json)?;
        let read: Vec<_> =
            members.iter().map(|member| PublicKey::from_json(member.get(), &algorithms.0)).collect();
        let has_twin =
            |key: &PublicKey| read.iter().flatten().filter(|other| key.collides(other)).count() > 1;
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for (index, key) in read.iter().enumerate() {
            match key {
                Ok(key) if has_twin(key) => left_out.push((index, LeftOut::Duplicate)),
                Ok(key) => keys.push(key.clone()),
                Err(reason) => left_out.push((index, *reason)),
            }
        }
        for (index, reason) in &left_out {
            match reason.is_alarming() {
                true => {
                    tracing::warn!(key = index + 1, %reason, "a key of the key set is not used: tell its publisher")
                }
                false => tracing::debug!(key = index + 1, %reason, "a key of the key set is not used"),
            }
        }
        if keys.is_empty() { Err(unusable(&left_out)) } else { Ok(Self { algorithms, keys }) }
    }

    /// Opens a token that asks for one of the configured algorithms.
    fn open(&self, named: &NamedToken<'_>) -> Result<Opened, CodecError> {
        let of_name = || self.keys.iter().filter(|key| named.kid.is_none() || key.kid == named.kid);
        let mut fitting = of_name().filter(|key| key.algorithms.contains(&named.algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => named.token.open(named.algorithm, [&key.key]),
            (Some(_), Some(_)) => Err(CodecError::new(Kind::Key)),
            (None, _) if named.kid.is_some() && of_name().next().is_some() => {
                Err(CodecError::new(Kind::Header))
            }
            (None, _) => Err(CodecError::new(Kind::UnknownKey)),
        }
    }
}

impl Codec for JwkSet {
    fn encode(&self, _: &[u8]) -> Result<String, CodecError> {
        Err(CodecError::unavailable())
    }

    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        self.open(&self.algorithms.name(token)?)
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwkSet({} keys)", self.keys.len())
    }
}

/// The algorithms that are taken: at least one, and none with a shared secret.
#[derive(Debug, Clone)]
struct Algorithms(Vec<JwsAlgorithm>);

impl Algorithms {
    fn new(algorithms: impl IntoIterator<Item = JwsAlgorithm>) -> Result<Self, ConfigError> {
        let algorithms: Vec<_> = algorithms.into_iter().collect();
        if algorithms.is_empty() {
            return Err(ConfigError::one(
                "the list of algorithms for a key set is empty",
                "list the algorithms that the issuer signs with, such as JwsAlgorithm::RS256",
            ));
        }
        let mut problems = ConfigError::none();
        let shared = algorithms.iter().filter(|algorithm| algorithm.family() == Family::Secret);
        shared.for_each(|algorithm| problems.append(needs_secret(*algorithm)));
        problems.into_result().map(|()| Self(algorithms))
    }

    /// Reads a token's header.
    fn name<'t>(&self, token: &'t str) -> Result<NamedToken<'t>, CodecError> {
        let token = SignedToken::split(token)?;
        let header: SignedHeader = compact::parse_header(token.header)?;
        let algorithm = self.0.iter().find(|algorithm| algorithm.name() == header.alg);
        let algorithm = *algorithm.ok_or(CodecError::new(Kind::Header))?;
        Ok(NamedToken { token, algorithm, kid: header.kid })
    }
}

/// A token, and what it says of its key.
struct NamedToken<'t> {
    token: SignedToken<'t>,
    algorithm: JwsAlgorithm,
    kid: Option<String>,
}

/// The texts of a set's keys.
fn members(json: &[u8]) -> Result<Vec<&RawValue>, ConfigError> {
    #[derive(Deserialize)]
    struct Members<'j> {
        #[serde(borrow)]
        keys: Vec<&'j RawValue>,
    }
    let problem = |problem: String| {
        Err(ConfigError::one(problem, "check that it is a JWK set (RFC 7517 section 5): {\"keys\": [...]}"))
    };
    if json.len() > MAX_SET_BYTES {
        return problem(format!("the key set has {} bytes, at most {MAX_SET_BYTES} are read", json.len()));
    }
    // A derived reader would take a list of values in order, too.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return problem("the text is no key set".to_owned());
    }
    match serde_json::from_slice::<Members<'_>>(json) {
        Ok(Members { keys }) if keys.len() > MAX_KEYS => {
            problem(format!("the key set has {} keys, at most {MAX_KEYS} are read", keys.len()))
        }
        Ok(Members { keys }) if keys.is_empty() => problem("the key set has no keys".to_owned()),
        Ok(Members { keys }) => Ok(keys),
        Err(error) => problem(format!("the text is no key set ({error})")),
    }
}

/// No key of a set can be used: each reason once, with its first key.
fn unusable(left_out: &[(usize, LeftOut)]) -> ConfigError {
    let mut reasons: Vec<(usize, LeftOut)> = Vec::new();
    for (index, reason) in left_out {
        if !reasons.iter().any(|(_, known)| known == reason) {
            reasons.push((*index, *reason));
        }
    }
    let reasons: Vec<_> =
        reasons.iter().map(|(index, reason)| format!("key number {} {reason}", index + 1)).collect();
    ConfigError::one(
        format!("no key of the key set can be used: {}", reasons.join("; ")),
        "list the algorithms that the issuer signs with, and publish public signature keys only",
    )
}
