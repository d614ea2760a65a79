//! Tokens: bytes of claims to text and back.
//!
//! A [`Codec`] knows keys and algorithms, not what the claims mean: it is given JSON and gives JSON back.
//! Each dialect has one (`docs/protocol.md` section 4); services that share public keys use
//! `Jws`, `JwkSet` or `JwksUrl` (feature `jws`). The algorithm is fixed when the codec is made and never
//! taken from a token (RFC 8725 section 3.1).
//!
//! ```
//! use portcullis::{Secret, codec::{Codec, JweGcm}};
//!
//! let codec = JweGcm::new(&Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"), "");
//! let token = codec.encode(br#"{"sub":"1"}"#)?;
//! assert_eq!(codec.decode(&token)?.claims, br#"{"sub":"1"}"#);
//! assert!(codec.decode("eyJhbGciOiJub25lIn0.e30.").is_err());
//! # Ok::<_, portcullis::codec::CodecError>(())
//! ```

mod cbc;
mod compact;
mod error;
mod gcm;
#[cfg(feature = "_jws")]
mod jwks;
#[cfg(feature = "_jws")]
mod jws;
mod key;
mod none;
mod signed;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

#[cfg(feature = "_jws")]
pub use self::jwks::{JwkSet, JwksUrl};
#[cfg(feature = "_jws")]
pub use self::jws::{Jws, JwsAlgorithm, JwsKeys};
pub(crate) use self::none::NoTokens;
pub use self::{cbc::JweCbc, error::CodecError, gcm::JweGcm, signed::JwsHs512};
use crate::{dialect::TokenFormat, secret::Secret};

/// The longest token that is looked at, in bytes: 32 cookies of 4 kB.
pub const MAX_TOKEN_BYTES: usize = 128 * 1024;

/// Seals claims into a token and opens it again.
///
/// Implementations refuse whatever they did not make: another algorithm, a broken tag, a token longer than
/// [`MAX_TOKEN_BYTES`]. They do not judge times; that is done in one place for all of them.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// Makes a token of the JSON text of some claims.
    ///
    /// # Errors
    ///
    /// When the codec can only read, or the system has no random numbers.
    fn encode(&self, claims: &[u8]) -> Result<String, CodecError>;

    /// Opens a token.
    ///
    /// # Errors
    ///
    /// When the token was not made by the holder of one of the keys.
    fn decode(&self, token: &str) -> Result<Opened, CodecError>;

    /// Waits for newer keys, after a token was refused with an error that
    /// [`is_unknown_key`](CodecError::is_unknown_key). `true`: decode it once more. `None`: nothing newer can be had
    /// at present, and there is nothing to wait for.
    ///
    /// A codec that reads keys from elsewhere bounds how often it asks there, whoever calls this and how often:
    /// anyone can make up the name of a key.
    fn refresh(&self) -> Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>> {
        None
    }
}

/// What a token held.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The JSON text of the claims.
    pub claims: Vec<u8>,
    /// It was made with an older secret: the session is due for a new token.
    pub outdated_key: bool,
}

impl Opened {
    /// Claims that were opened with the present key, or else with an older one.
    pub fn new(claims: Vec<u8>, outdated_key: bool) -> Self {
        Self { claims, outdated_key }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} bytes, redacted)", self.claims.len())
    }
}

/// The codec of a dialect for the tokens in the cookie called `cookie_name`.
pub(crate) fn of_format(format: TokenFormat, secret: &Secret, cookie_name: &str) -> Arc<dyn Codec> {
    match format {
        TokenFormat::SignedHs512 => Arc::new(JwsHs512::new(secret)),
        // The session tokens of v4 have an empty salt, whatever their cookie is called.
        TokenFormat::Gcm => Arc::new(JweGcm::new(secret, "")),
        TokenFormat::CbcHs512 => Arc::new(JweCbc::new(secret, cookie_name)),
    }
}

/// The codec of a dialect for what is sealed for another purpose than a session, such as the cookies that bind a
/// sign-in to its browser (`docs/protocol.md` sections 4.4 and 7.2).
pub(crate) fn for_purpose(format: TokenFormat, secret: &Secret, salt: &str) -> Arc<dyn Codec> {
    match format {
        TokenFormat::SignedHs512 | TokenFormat::Gcm => Arc::new(JweGcm::new(secret, salt)),
        TokenFormat::CbcHs512 => Arc::new(JweCbc::new(secret, salt)),
    }
}
