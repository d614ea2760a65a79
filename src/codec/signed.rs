//! The tokens of v3: a JWS with HS512, and its encrypted form for reading (`docs/protocol.md` section 4.3).

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use sha2::Sha512;

use super::{
    Codec, MAX_TOKEN_BYTES, Opened,
    cbc::new_mac,
    compact::{self, Header},
    error::{CodecError, Kind},
    gcm, key,
};
use crate::secret::Secret;

/// `{"alg":"HS512"}` in base64url.
const HEADER: &str = "eyJhbGciOiJIUzUxMiJ9";

/// The codec of next-auth v3. Writes signed tokens; whoever has the cookie can read them.
///
/// Reads the form of `encryption: true` too, which is a compressed JWS inside a JWE. What comes out of the
/// decompression is bounded by [`MAX_TOKEN_BYTES`].
pub struct JwsHs512 {
    keys: Vec<Keys>,
}

struct Keys {
    mac: Hmac<Sha512>,
    verify: Hmac<Sha512>,
    encryption: Aes256Gcm,
}

impl JwsHs512 {
    /// With the keys that v3 derives from the secret.
    pub fn new(secret: &Secret) -> Self {
        let keys = secret.entries().map(|entry| {
            let signing = key::derive::<64>(entry, "", "NextAuth.js Generated Signing Key");
            Keys {
                mac: new_mac(signing.as_slice()),
                verify: new_mac(signing.as_slice()),
                encryption: gcm::cipher(entry, "", "NextAuth.js Generated Encryption Key"),
            }
        });
        Self { keys: keys.collect() }
    }

    /// With keys of one's own: the bytes of v3's `signingKey`, `verificationKey` and `encryptionKey`.
    pub fn with_keys(signing: &[u8], verification: &[u8], encryption: &[u8; 32]) -> Self {
        Self {
            keys: vec![Keys {
                mac: new_mac(signing),
                verify: new_mac(verification),
                encryption: Aes256Gcm::new(&(*encryption).into()),
            }],
        }
    }

    fn verify(&self, token: &str) -> Result<Opened, CodecError> {
        let [header, payload, signature] = compact::split(token)?;
        if header != HEADER {
            let header = Header::parse(header)?;
            if header.alg != "HS512" || header.enc.is_some() || header.zip.is_some() {
                return Err(CodecError::new(Kind::Header));
            }
        }
        let signature = compact::decode_exactly::<64>(signature)?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        for (index, keys) in self.keys.iter().enumerate() {
            // In constant time.
            if keys.verify.clone().chain_update(signed).verify_slice(&signature).is_ok() {
                return Ok(Opened::new(compact::decode(payload)?, index > 0));
            }
        }
        Err(CodecError::new(Kind::Authentication))
    }

    fn decrypt(&self, parts: [&str; 5]) -> Result<String, CodecError> {
        let header = Header::parse(parts[0])?;
        if header.alg != "dir"
            || header.enc.as_deref() != Some("A256GCM")
            || header.zip.as_deref() != Some("DEF")
        {
            return Err(CodecError::new(Kind::Header));
        }
        let deflated = gcm::open(self.keys.iter().map(|keys| &keys.encryption), parts)?.claims;
        let token = decompress_to_vec_with_limit(&deflated, MAX_TOKEN_BYTES)
            .map_err(|_| CodecError::new(Kind::TooLong))?;
        String::from_utf8(token).map_err(|_| CodecError::new(Kind::Malformed))
    }
}

impl Codec for JwsHs512 {
    fn encode(&self, claims: &[u8]) -> Result<String, CodecError> {
        let keys = self.keys.first().ok_or(CodecError::new(Kind::Key))?;
        let signed = format!("{HEADER}.{}", compact::encode(claims));
        let signature = keys.mac.clone().chain_update(&signed).finalize().into_bytes();
        Ok(format!("{signed}.{}", compact::encode(&signature)))
    }

    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        match compact::split::<5>(token) {
            Ok(parts) => self.verify(&self.decrypt(parts)?),
            Err(_) => self.verify(token),
        }
    }
}

impl fmt::Debug for JwsHs512 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwsHs512")
    }
}
