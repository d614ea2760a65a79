//! One key of a set (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2), and why it may not be used.

use std::fmt;

use jsonwebtoken::DecodingKey;
use serde::{Deserialize, de::IgnoredAny};

use crate::codec::{
    compact,
    jws::{Family, JwsAlgorithm},
};

/// A public key and what it may be used for.
#[derive(Clone)]
pub(super) struct PublicKey {
    pub(super) kid: Option<String>,
    /// Configured, and right for this key. At least one.
    pub(super) algorithms: Vec<JwsAlgorithm>,
    pub(super) key: DecodingKey,
}

/// Why a key of a set is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// Not the members that a key has.
    Malformed,
    Kind,
    Purpose,
    Algorithm,
    Private,
    Values,
    Duplicate,
}

impl LeftOut {
    /// Somebody published what must stay secret, or made tokens ambiguous.
    pub(super) fn is_alarming(self) -> bool {
        matches!(self, Self::Private | Self::Duplicate)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "is no JSON Web Key",
            Self::Kind => "is of a kind or curve that no supported algorithm uses",
            Self::Purpose => "is not for verifying signatures (use, key_ops)",
            Self::Algorithm => "is for an algorithm that is not configured",
            Self::Private => "holds private members: whoever read the set can forge its tokens",
            Self::Values => "has numbers of the wrong size",
            Self::Duplicate => "has the kid of another key of the set",
        })
    }
}

/// The members that matter. A set has others, too.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Private, of RSA, EC and OKP.
    d: Option<IgnoredAny>,
    /// Private, of RSA with or without `d`.
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    /// The secret of `oct`.
    k: Option<IgnoredAny>,
}

impl PublicKey {
    /// Reads one key for the algorithms that are `allowed`.
    pub(super) fn from_json(json: &str, allowed: &[JwsAlgorithm]) -> Result<Self, LeftOut> {
        if !json.starts_with('{') {
            return Err(LeftOut::Malformed);
        }
        let jwk: Jwk = serde_json::from_str(json).map_err(|_| LeftOut::Malformed)?;
        if jwk.d.is_some() || jwk.p.is_some() || jwk.q.is_some() || jwk.k.is_some() {
            return Err(LeftOut::Private);
        }
        let family = jwk.family().ok_or(LeftOut::Kind)?;
        if !jwk.verifies() {
            return Err(LeftOut::Purpose);
        }
        let alg = jwk.alg.as_deref();
        let fits = |algorithm: &JwsAlgorithm| {
            algorithm.family() == family && alg.is_none_or(|alg| alg == algorithm.name())
        };
        let algorithms: Vec<_> = allowed.iter().copied().filter(fits).collect();
        if algorithms.is_empty() {
            return Err(LeftOut::Algorithm);
        }
        let key = jwk.public_key(family).ok_or(LeftOut::Values)?;
        if !algorithms.iter().all(|algorithm| algorithm.takes(&key)) {
            return Err(LeftOut::Values);
        }
        Ok(Self { kid: jwk.kid, algorithms, key })
    }

    /// Whether some token may name both.
    pub(super) fn collides(&self, other: &Self) -> bool {
        self.kid.is_some()
            && self.kid == other.kid
            && self.algorithms.iter().any(|algorithm| other.algorithms.contains(algorithm))
    }
}

impl Jwk {
    fn family(&self) -> Option<Family> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Some(Family::Rsa),
            ("EC", Some("P-256")) => Some(Family::P256),
            ("EC", Some("P-384")) => Some(Family::P384),
            ("OKP", Some("Ed25519")) => Some(Family::Ed25519),
            _ => None,
        }
    }

    fn verifies(&self) -> bool {
        let purpose = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        purpose && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"))
    }

    fn public_key(&self, family: Family) -> Option<DecodingKey> {
        match family {
            Family::Rsa => rsa(&number(self.n.as_deref())?, &number(self.e.as_deref())?),
            Family::P256 => ec::<32>(self.x.as_deref()?, self.y.as_deref()?),
            Family::P384 => ec::<48>(self.x.as_deref()?, self.y.as_deref()?),
            Family::Ed25519 => {
                compact::decode_exactly::<32>(self.x.as_deref()?).ok().map(|x| DecodingKey::from_ed_der(&x))
            }
            Family::Secret => None,
        }
    }
}

/// A number of any size. Some publishers put zeros in front of it, against RFC 7518 section 2.
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = compact::decode(text?).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// A modulus of 2048 (RFC 7518 section 3.3) to 8192 bits, which bounds the time of a verification; an odd exponent
/// from 3 to 2^32.
fn rsa(n: &[u8], e: &[u8]) -> Option<DecodingKey> {
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    let exponent = e.len() <= 4 && e.last()? & 1 == 1 && e != [1];
    ((2048..=8192).contains(&bits) && exponent).then(|| DecodingKey::from_rsa_raw_components(n, e))
}

/// A point, uncompressed (SEC 1 section 2.3.3).
fn ec<const N: usize>(x: &str, y: &str) -> Option<DecodingKey> {
    let (x, y) = (compact::decode_exactly::<N>(x).ok()?, compact::decode_exactly::<N>(y).ok()?);
    Some(DecodingKey::from_ec_der(&[&[4][..], &x, &y].concat()))
}
