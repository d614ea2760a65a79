//! JWE with direct A256GCM: the session tokens of v4 (`docs/protocol.md` section 4.1).

use std::fmt;

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce};

use super::{
    Codec, Opened,
    compact::{self, Header},
    error::{CodecError, Kind},
    key,
};
use crate::secret::Secret;

/// `{"alg":"dir","enc":"A256GCM"}` in base64url.
const HEADER: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0";
const ENC: &str = "A256GCM";
pub(super) const IV_BYTES: usize = 12;

/// The codec of next-auth v4: `dir` with A256GCM.
pub struct JweGcm {
    /// One for each secret; the first one writes. The key schedules are set up once, here.
    ciphers: Vec<Aes256Gcm>,
}

impl JweGcm {
    /// For the tokens with this salt: empty for sessions, the cookie's name for the cookies of a sign-in.
    pub fn new(secret: &Secret, salt: &str) -> Self {
        let info = match salt {
            "" => "NextAuth.js Generated Encryption Key".to_owned(),
            salt => format!("NextAuth.js Generated Encryption Key ({salt})"),
        };
        Self { ciphers: secret.entries().map(|entry| cipher(entry, salt, &info)).collect() }
    }

    pub(super) fn seal(&self, iv: &[u8; IV_BYTES], claims: &[u8]) -> Result<String, CodecError> {
        let cipher = self.ciphers.first().ok_or(CodecError::new(Kind::Key))?;
        let mut text = claims.to_vec();
        let tag = cipher
            .encrypt_inout_detached(&Nonce::from(*iv), HEADER.as_bytes(), text.as_mut_slice().into())
            .map_err(|_| CodecError::new(Kind::Unavailable))?;
        Ok([HEADER, "", &compact::encode(iv), &compact::encode(&text), &compact::encode(&tag)].join("."))
    }
}

impl Codec for JweGcm {
    fn encode(&self, claims: &[u8]) -> Result<String, CodecError> {
        self.seal(&key::random()?, claims)
    }

    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        let parts = compact::split(token)?;
        if parts[0] != HEADER && !Header::parse(parts[0])?.is_direct(ENC) {
            return Err(CodecError::new(Kind::Header));
        }
        open(self.ciphers.iter(), parts)
    }
}

impl fmt::Debug for JweGcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JweGcm")
    }
}

pub(super) fn cipher(secret: &[u8], salt: &str, info: &str) -> Aes256Gcm {
    Aes256Gcm::new(&(*key::derive::<32>(secret, salt, info)).into())
}

/// Opens the parts of a token whose header was judged already.
pub(super) fn open<'c>(
    ciphers: impl Iterator<Item = &'c Aes256Gcm>,
    [header, encrypted_key, iv, ciphertext, tag]: [&str; 5],
) -> Result<Opened, CodecError> {
    if !encrypted_key.is_empty() {
        return Err(CodecError::new(Kind::Malformed));
    }
    let iv = Nonce::from(compact::decode_exactly::<IV_BYTES>(iv)?);
    let tag = compact::decode_exactly::<16>(tag)?.into();
    let mut text = compact::decode(ciphertext)?;
    for (index, cipher) in ciphers.enumerate() {
        // The tag is compared first: a failure leaves the text as it was, for the next key.
        if cipher.decrypt_inout_detached(&iv, header.as_bytes(), text.as_mut_slice().into(), &tag).is_ok() {
            return Ok(Opened::new(text, index > 0));
        }
    }
    Err(CodecError::new(Kind::Authentication))
}
