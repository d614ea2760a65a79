//! Signed tokens through `jsonwebtoken`: for services that share public keys (RFC 7515, RFC 7518 section 3).

mod algorithm;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;

use jsonwebtoken::{DecodingKey, EncodingKey};

pub use self::algorithm::JwsAlgorithm;
pub(super) use self::{algorithm::Family, token::SignedToken};
use super::{
    Codec, Opened,
    compact::{self, Header},
    error::{CodecError, Kind},
};
use crate::{error::ConfigError, secret::Secret};

/// The keys of a [`Jws`].
///
/// ```
/// use portcullis::codec::{Codec, Jws, JwsAlgorithm, JwsKeys};
///
/// # let (private, public) = (
/// #     include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-ed25519.private.pem")),
/// #     include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-ed25519.public.pem")),
/// # );
/// // One service signs; the others read with the public key.
/// let signer = Jws::new(JwsAlgorithm::EdDSA, JwsKeys::pem(JwsAlgorithm::EdDSA, private, public)?)?;
/// let reader = Jws::new(JwsAlgorithm::EdDSA, JwsKeys::public_pem(JwsAlgorithm::EdDSA, public)?)?;
///
/// let token = signer.encode(br#"{"sub":"1"}"#)?;
/// assert_eq!(reader.decode(&token)?.claims, br#"{"sub":"1"}"#);
/// assert!(reader.encode(br#"{"sub":"1"}"#).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JwsKeys {
    sign: Option<EncodingKey>,
    /// The present key, then older ones.
    verify: Vec<DecodingKey>,
    /// What is wrong with a shared secret.
    problems: Vec<(String, String)>,
}

impl JwsKeys {
    /// A shared secret, for the HS algorithms: the first of the list signs, all are read. [`Jws::new`] refuses
    /// weak ones.
    pub fn secret(secret: &Secret) -> Self {
        Self {
            sign: secret.entries().next().map(EncodingKey::from_secret),
            verify: secret.entries().map(DecodingKey::from_secret).collect(),
            problems: secret.problems(),
        }
    }

    /// A key pair in PEM (PKCS#8 or PKCS#1, and SubjectPublicKeyInfo).
    ///
    /// # Errors
    ///
    /// When one of the texts is no key for `algorithm`.
    pub fn pem(algorithm: JwsAlgorithm, private: &[u8], public: &[u8]) -> Result<Self, ConfigError> {
        let signing = Self::private_pem(algorithm, private)?;
        Ok(Self { sign: signing.sign, ..Self::public_pem(algorithm, public)? })
    }

    /// A private key in PEM: writes, and cannot read.
    ///
    /// # Errors
    ///
    /// When the text is no key for `algorithm`.
    pub fn private_pem(algorithm: JwsAlgorithm, private: &[u8]) -> Result<Self, ConfigError> {
        let sign = match algorithm.family() {
            Family::Rsa => EncodingKey::from_rsa_pem(private),
            Family::P256 | Family::P384 => EncodingKey::from_ec_pem(private),
            Family::Ed25519 => EncodingKey::from_ed_pem(private),
            Family::Secret => return Err(needs_secret(algorithm)),
        };
        let sign = sign.map_err(|_| unreadable("private", algorithm))?;
        Ok(Self { sign: Some(sign), verify: Vec::new(), problems: Vec::new() })
    }

    /// A public key in PEM: reads, and cannot write.
    ///
    /// # Errors
    ///
    /// When the text is no key for `algorithm`.
    pub fn public_pem(algorithm: JwsAlgorithm, public: &[u8]) -> Result<Self, ConfigError> {
        let verify = match algorithm.family() {
            Family::Rsa => DecodingKey::from_rsa_pem(public),
            Family::P256 | Family::P384 => DecodingKey::from_ec_pem(public),
            Family::Ed25519 => DecodingKey::from_ed_pem(public),
            Family::Secret => return Err(needs_secret(algorithm)),
        };
        let verify = verify.map_err(|_| unreadable("public", algorithm))?;
        Ok(Self { sign: None, verify: vec![verify], problems: Vec::new() })
    }

    /// Reads what the keys of `older` have signed, too: for the time after a change of keys. What they opened
    /// has [`outdated_key`](Opened::outdated_key).
    ///
    /// ```
    /// use portcullis::codec::{JwsAlgorithm, JwsKeys};
    ///
    /// # let (old, new) = (include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-ed25519.public.pem")), include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-ed25519.public.pem")));
    /// let keys = JwsKeys::public_pem(JwsAlgorithm::EdDSA, new)?
    ///     .or_previous(JwsKeys::public_pem(JwsAlgorithm::EdDSA, old)?);
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    #[must_use]
    pub fn or_previous(mut self, older: Self) -> Self {
        self.verify.extend(older.verify);
        self.problems.extend(older.problems);
        self
    }
}

impl fmt::Debug for JwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.sign.is_some() { "JwsKeys(sign and verify)" } else { "JwsKeys(verify)" })
    }
}

pub(super) fn needs_secret(algorithm: JwsAlgorithm) -> ConfigError {
    ConfigError::one(
        format!("{} takes a shared secret, not a public key", algorithm.name()),
        "use JwsKeys::secret, or an algorithm with a key pair such as JwsAlgorithm::EdDSA",
    )
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
        let verifies = jws.keys.verify.iter().all(|key| algorithm.takes(key));
        if signs && verifies { Ok(jws) } else { Err(unreadable("configured", algorithm)) }
    }

    /// Names its key in the tokens that it makes (`kid`, RFC 7515 section 4.1.4).
    #[must_use]
    pub fn with_key_id(mut self, key_id: &str) -> Self {
        let header = serde_json::json!({ "alg": self.algorithm.name(), "kid": key_id });
        self.header = compact::encode(header.to_string().as_bytes());
        self
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CodecError> {
        let key = self.keys.sign.as_ref().ok_or(CodecError::unavailable())?;
        self.algorithm.sign(key, message).ok_or(CodecError::unavailable())
    }
}

impl Codec for Jws {
    fn encode(&self, claims: &[u8]) -> Result<String, CodecError> {
        let signed = format!("{}.{}", self.header, compact::encode(claims));
        let signature = self.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", compact::encode(&signature)))
    }

    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        let token = SignedToken::split(token)?;
        if token.header != self.header {
            let header = Header::parse(token.header)?;
            if header.alg != self.algorithm.name() || header.enc.is_some() || header.zip.is_some() {
                return Err(CodecError::new(Kind::Header));
            }
        }
        token.open(self.algorithm, &self.keys.verify)
    }
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jws({})", self.algorithm.name())
    }
}
