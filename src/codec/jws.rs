//! Signed tokens through `jsonwebtoken`: for services that share public keys (RFC 7515, RFC 7518 section 3).

#[cfg(test)]
mod tests;

use std::fmt;

#[cfg(feature = "aws-lc")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "aws-lc"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use super::{
    Codec, Opened,
    compact::{self, Header},
    error::{CodecError, Kind},
};
use crate::{error::ConfigError, secret::Secret};

/// The signature algorithms of RFC 7518 section 3 and RFC 8037 that can be configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the registry")]
pub enum JwsAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl JwsAlgorithm {
    fn algorithm(self) -> Algorithm {
        match self {
            Self::HS256 => Algorithm::HS256,
            Self::HS384 => Algorithm::HS384,
            Self::HS512 => Algorithm::HS512,
            Self::RS256 => Algorithm::RS256,
            Self::RS384 => Algorithm::RS384,
            Self::RS512 => Algorithm::RS512,
            Self::PS256 => Algorithm::PS256,
            Self::PS384 => Algorithm::PS384,
            Self::PS512 => Algorithm::PS512,
            Self::ES256 => Algorithm::ES256,
            Self::ES384 => Algorithm::ES384,
            Self::EdDSA => Algorithm::EdDSA,
        }
    }

    /// The value of `alg`.
    fn name(self) -> String {
        format!("{self:?}")
    }
}

/// The keys of a [`Jws`].
#[derive(Clone)]
pub struct JwsKeys {
    sign: Option<EncodingKey>,
    verify: DecodingKey,
    /// What is wrong with a shared secret.
    problems: Vec<(String, String)>,
}

impl JwsKeys {
    /// A shared secret, for the HS algorithms: the first of the list. [`Jws::new`] refuses a weak one.
    pub fn secret(secret: &Secret) -> Self {
        let bytes = secret.entries().next().unwrap_or_default();
        Self {
            sign: Some(EncodingKey::from_secret(bytes)),
            verify: DecodingKey::from_secret(bytes),
            problems: secret.problems(),
        }
    }

    /// A key pair in PEM (PKCS#8 or PKCS#1, and SubjectPublicKeyInfo).
    ///
    /// # Errors
    ///
    /// When one of the texts is no key for `algorithm`.
    pub fn pem(algorithm: JwsAlgorithm, private: &[u8], public: &[u8]) -> Result<Self, ConfigError> {
        let sign = match family(algorithm)? {
            Family::Rsa => EncodingKey::from_rsa_pem(private),
            Family::Ec => EncodingKey::from_ec_pem(private),
            Family::Ed => EncodingKey::from_ed_pem(private),
        };
        let sign = sign.map_err(|_| unreadable("private", algorithm))?;
        Ok(Self { sign: Some(sign), ..Self::public_pem(algorithm, public)? })
    }

    /// A public key in PEM: reads, and cannot write.
    ///
    /// # Errors
    ///
    /// When the text is no key for `algorithm`.
    pub fn public_pem(algorithm: JwsAlgorithm, public: &[u8]) -> Result<Self, ConfigError> {
        let verify = match family(algorithm)? {
            Family::Rsa => DecodingKey::from_rsa_pem(public),
            Family::Ec => DecodingKey::from_ec_pem(public),
            Family::Ed => DecodingKey::from_ed_pem(public),
        };
        let verify = verify.map_err(|_| unreadable("public", algorithm))?;
        Ok(Self { sign: None, verify, problems: Vec::new() })
    }
}

impl fmt::Debug for JwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.sign.is_some() { "JwsKeys(sign and verify)" } else { "JwsKeys(verify)" })
    }
}

enum Family {
    Rsa,
    Ec,
    Ed,
}

fn family(algorithm: JwsAlgorithm) -> Result<Family, ConfigError> {
    use JwsAlgorithm as A;
    match algorithm {
        A::RS256 | A::RS384 | A::RS512 | A::PS256 | A::PS384 | A::PS512 => Ok(Family::Rsa),
        A::ES256 | A::ES384 => Ok(Family::Ec),
        A::EdDSA => Ok(Family::Ed),
        A::HS256 | A::HS384 | A::HS512 => Err(ConfigError::one(
            format!("{} takes a shared secret, not a key in PEM", algorithm.name()),
            "use JwsKeys::secret, or an algorithm with a key pair such as JwsAlgorithm::EdDSA",
        )),
    }
}

fn unreadable(which: &str, algorithm: JwsAlgorithm) -> ConfigError {
    ConfigError::one(
        format!("the {which} key is no PEM text of a key for {}", algorithm.name()),
        "check the file, and that algorithm and kind of key belong together",
    )
}

/// Signed tokens with one algorithm, fixed here. Whoever has a token can read it.
///
/// ```
/// use portcullis::{Secret, codec::{Codec, Jws, JwsAlgorithm, JwsKeys}};
///
/// let keys = JwsKeys::secret(&Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"));
/// let codec = Jws::new(JwsAlgorithm::HS256, keys)?;
/// let token = codec.encode(br#"{"sub":"1"}"#)?;
/// assert_eq!(codec.decode(&token)?.claims, br#"{"sub":"1"}"#);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Jws {
    algorithm: JwsAlgorithm,
    header: String,
    keys: JwsKeys,
}

impl Jws {
    /// Signs and verifies with `algorithm` and nothing else.
    ///
    /// # Errors
    ///
    /// When keys and algorithm do not belong together, or a shared secret is weak.
    pub fn new(algorithm: JwsAlgorithm, keys: JwsKeys) -> Result<Self, ConfigError> {
        let mut problems = ConfigError::none();
        keys.problems.iter().cloned().for_each(|(problem, remedy)| problems.add(problem, remedy));
        problems.into_result()?;
        let header = compact::encode(format!(r#"{{"alg":"{}"}}"#, algorithm.name()).as_bytes());
        let jws = Self { algorithm, header, keys };
        let signs = jws.keys.sign.is_none() || jws.sign(b"").is_ok();
        let verifies = (DEFAULT_PROVIDER.verifier_factory)(&algorithm.algorithm(), &jws.keys.verify).is_ok();
        if signs && verifies { Ok(jws) } else { Err(unreadable("configured", algorithm)) }
    }

    /// Calls the backend directly: the process-wide default of `jsonwebtoken` panics when another
    /// dependency has switched on a second backend.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CodecError> {
        let key = self.keys.sign.as_ref().ok_or(CodecError::unavailable())?;
        (DEFAULT_PROVIDER.signer_factory)(&self.algorithm.algorithm(), key)
            .ok()
            .and_then(|signer| signer.try_sign(message).ok())
            .ok_or(CodecError::unavailable())
    }
}

impl Codec for Jws {
    fn encode(&self, claims: &[u8]) -> Result<String, CodecError> {
        let signed = format!("{}.{}", self.header, compact::encode(claims));
        let signature = self.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", compact::encode(&signature)))
    }

    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        let [header, payload, signature] = compact::split(token)?;
        if header != self.header {
            let header = Header::parse(header)?;
            if header.alg != self.algorithm.name() || header.enc.is_some() || header.zip.is_some() {
                return Err(CodecError::new(Kind::Header));
            }
        }
        let signature = compact::decode(signature)?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.algorithm(), &self.keys.verify)
            .ok()
            .filter(|verifier| verifier.verify(signed, &signature).is_ok())
            .ok_or(CodecError::new(Kind::Authentication))?;
        Ok(Opened::new(compact::decode(payload)?, false))
    }
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jws({})", self.algorithm.name())
    }
}
