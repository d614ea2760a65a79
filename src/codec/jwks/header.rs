//! The header of a token that somebody else made (RFC 7515 section 4).

use serde::{Deserialize, Deserializer, de};

/// Members that are not listed are ignored, as RFC 7515 section 4 has it: issuers add some of their own. Those that
/// change what the token means, or bring a key along, are refused.
#[derive(Deserialize)]
pub(super) struct SignedHeader {
    pub(super) alg: String,
    #[serde(default)]
    pub(super) kid: Option<String>,
    #[serde(default, rename = "crit")]
    _crit: Absent,
    #[serde(default, rename = "b64")]
    _b64: Absent,
    #[serde(default, rename = "enc")]
    _enc: Absent,
    #[serde(default, rename = "zip")]
    _zip: Absent,
    #[serde(default, rename = "jwk")]
    _jwk: Absent,
    #[serde(default, rename = "jku")]
    _jku: Absent,
    #[serde(default, rename = "x5u")]
    _x5u: Absent,
    #[serde(default, rename = "x5c")]
    _x5c: Absent,
}

/// A member that must not be there, whatever its value.
#[derive(Default)]
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("a member that is not taken"))
    }
}
