//! JWE with direct A256CBC-HS512: the tokens of v5 (`docs/protocol.md` section 4.2, RFC 7518 section 5.2.5).

use std::fmt;

use aes::Aes256;
use aes_gcm::Aes256Gcm;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, block_padding::Pkcs7};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;

use super::{
    Codec, Opened,
    compact::{self, Header},
    error::{CodecError, Kind},
    gcm, key,
};
use crate::secret::Secret;

const ENC: &str = "A256CBC-HS512";
pub(super) const IV_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// The codec of Auth.js v5: `dir` with A256CBC-HS512, a key for each cookie name, a list of secrets told
/// apart by `kid`.
pub struct JweCbc {
    /// One for each secret; the first one writes.
    keys: Vec<Keys>,
}

struct Keys {
    /// The whole protected header in base64url, which names the key.
    header: String,
    kid: String,
    mac: Hmac<Sha512>,
    aes: Aes256,
    /// The npm packages read A256GCM under the same label too; they never write it.
    gcm: Aes256Gcm,
}

impl JweCbc {
    /// For the tokens with this salt, which is the name of the cookie they travel in.
    pub fn new(secret: &Secret, salt: &str) -> Self {
        let info = format!("Auth.js Generated Encryption Key ({salt})");
        Self { keys: secret.entries().map(|entry| Keys::derive(entry, salt, &info)).collect() }
    }

    pub(super) fn seal(&self, iv: &[u8; IV_BYTES], claims: &[u8]) -> Result<String, CodecError> {
        let keys = self.keys.first().ok_or(CodecError::new(Kind::Key))?;
        let text =
            cbc::Encryptor::inner_iv_init(keys.aes.clone(), iv.into()).encrypt_padded_vec::<Pkcs7>(claims);
        let tag = keys.tag(&keys.header, iv, &text);
        Ok([&keys.header, "", &compact::encode(iv), &compact::encode(&text), &compact::encode(&tag)]
            .join("."))
    }

    /// The key that a header asks for, and its place in the list. The header of our own tokens is compared
    /// as text; only others are parsed.
    fn select(&self, part: &str) -> Result<(usize, &Keys, bool), CodecError> {
        if let Some((index, keys)) = self.keys.iter().enumerate().find(|(_, keys)| keys.header == part) {
            return Ok((index, keys, false));
        }
        let header = Header::parse(part)?;
        let is_gcm = header.is_direct("A256GCM");
        if !is_gcm && !header.is_direct(ENC) {
            return Err(CodecError::new(Kind::Header));
        }
        match header.kid {
            // Without a kid the npm packages try the first secret and no other.
            None => self.keys.first().map(|keys| (0, keys, is_gcm)),
            Some(kid) => {
                let found = self.keys.iter().enumerate().find(|(_, keys)| keys.kid == kid);
                found.map(|(index, keys)| (index, keys, is_gcm))
            }
        }
        .ok_or(CodecError::new(Kind::Key))
    }
}

impl Codec for JweCbc {
    fn encode(&self, claims: &[u8]) -> Result<String, CodecError> {
        self.seal(&key::random()?, claims)
    }

    fn decode(&self, token: &str) -> Result<Opened, CodecError> {
        let parts @ [header, encrypted_key, iv, ciphertext, tag] = compact::split(token)?;
        let (index, keys, is_gcm) = self.select(header)?;
        if is_gcm {
            return Ok(Opened::new(gcm::open([&keys.gcm].into_iter(), parts)?.claims, index > 0));
        }
        if !encrypted_key.is_empty() {
            return Err(CodecError::new(Kind::Malformed));
        }
        let iv = compact::decode_exactly::<IV_BYTES>(iv)?;
        let tag = compact::decode_exactly::<TAG_BYTES>(tag)?;
        let text = compact::decode(ciphertext)?;
        keys.open(header, &iv, text, &tag).map(|claims| Opened::new(claims, index > 0))
    }
}

impl Keys {
    fn derive(secret: &[u8], salt: &str, info: &str) -> Self {
        let key = key::derive::<64>(secret, salt, info);
        let (mac, aes) = key.split_at(32);
        let kid = thumbprint(key.as_slice());
        let header = format!(r#"{{"alg":"dir","enc":"{ENC}","kid":"{kid}"}}"#);
        let mut aes_key = [0; 32];
        aes_key.copy_from_slice(aes);
        Self {
            header: compact::encode(header.as_bytes()),
            kid,
            mac: new_mac(mac),
            aes: Aes256::new(&aes_key.into()),
            gcm: gcm::cipher(secret, salt, info),
        }
    }

    /// The first half of HMAC-SHA-512 over header, IV, ciphertext and the header's length in bits.
    fn tag(&self, header: &str, iv: &[u8], text: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = self.mac.clone();
        mac.update(header.as_bytes());
        mac.update(iv);
        mac.update(text);
        mac.update(&(header.len() as u64 * 8).to_be_bytes());
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        tag
    }

    /// Compares the tag, in constant time, before anything is decrypted: the padding is no oracle.
    fn open(
        &self,
        header: &str,
        iv: &[u8; IV_BYTES],
        mut text: Vec<u8>,
        tag: &[u8],
    ) -> Result<Vec<u8>, CodecError> {
        if !bool::from(self.tag(header, iv, &text).ct_eq(tag)) {
            return Err(CodecError::new(Kind::Authentication));
        }
        let decryptor = cbc::Decryptor::inner_iv_init(self.aes.clone(), iv.into());
        let length = decryptor
            .decrypt_padded::<Pkcs7>(&mut text)
            .map_err(|_| CodecError::new(Kind::Authentication))?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

impl fmt::Debug for JweCbc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JweCbc")
    }
}

/// The `kid` of a key: its RFC 7638 thumbprint, with SHA-512.
fn thumbprint(key: &[u8]) -> String {
    let jwk = zeroize::Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, compact::encode(key)));
    compact::encode(&Sha512::digest(jwk.as_bytes()))
}

#[allow(clippy::expect_used, reason = "HMAC takes keys of any length; the Result is the trait's")]
pub(super) fn new_mac(key: &[u8]) -> Hmac<Sha512> {
    <Hmac<Sha512> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes any key")
}
