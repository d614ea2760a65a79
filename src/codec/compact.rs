//! The compact forms of RFC 7515 and RFC 7516: parts in base64url, with points between them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use memchr::memchr_iter;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    MAX_TOKEN_BYTES,
    error::{CodecError, Kind},
};

/// The longest header that is parsed, in characters. Ours have 40 to 200.
const MAX_HEADER_CHARS: usize = 1024;

/// Splits a token into exactly `N` parts.
pub(super) fn split<const N: usize>(token: &str) -> Result<[&str; N], CodecError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(CodecError::new(Kind::TooLong));
    }
    let mut parts = [""; N];
    let (mut count, mut start) = (0, 0);
    for end in memchr_iter(b'.', token.as_bytes()).chain([token.len()]) {
        *parts.get_mut(count).ok_or(CodecError::new(Kind::Malformed))? = &token[start..end];
        (count, start) = (count + 1, end + 1);
    }
    if count == N { Ok(parts) } else { Err(CodecError::new(Kind::Malformed)) }
}

/// Decodes strictly: no padding, no other alphabet, no stray bits.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, CodecError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| CodecError::new(Kind::Malformed))
}

/// Decodes exactly `N` bytes.
pub(super) fn decode_exactly<const N: usize>(part: &str) -> Result<[u8; N], CodecError> {
    let mut bytes = [0; N];
    // decode_slice wants room for a whole last group.
    let mut room = [0; 96];
    let written =
        URL_SAFE_NO_PAD.decode_slice(part, &mut room).map_err(|_| CodecError::new(Kind::Malformed))?;
    if written != N {
        return Err(CodecError::new(Kind::Malformed));
    }
    bytes.copy_from_slice(&room[..N]);
    Ok(bytes)
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A protected header. Members that are not listed are refused, `crit` and `zip` with them, and so are
/// repeated ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default)]
    pub(super) enc: Option<String>,
    #[serde(default)]
    pub(super) kid: Option<String>,
    #[serde(default)]
    pub(super) zip: Option<String>,
    #[serde(default, rename = "typ")]
    _typ: Option<String>,
    #[serde(default, rename = "cty")]
    _cty: Option<String>,
}

/// Reads a protected header. Of members that `T` knows, repeated ones are refused.
pub(super) fn parse_header<T: DeserializeOwned>(part: &str) -> Result<T, CodecError> {
    if part.len() > MAX_HEADER_CHARS {
        return Err(CodecError::new(Kind::Header));
    }
    let json = decode(part)?;
    // A derived reader would take a list of values in order, too.
    let object = json.starts_with(b"{").then_some(&json).ok_or(CodecError::new(Kind::Header))?;
    serde_json::from_slice(object).map_err(|_| CodecError::new(Kind::Header))
}

impl Header {
    pub(super) fn parse(part: &str) -> Result<Self, CodecError> {
        parse_header(part)
    }

    /// A JWE with a shared key, `enc` as given and nothing compressed.
    pub(super) fn is_direct(&self, enc: &str) -> bool {
        self.alg == "dir" && self.enc.as_deref() == Some(enc) && self.zip.is_none()
    }
}
