//! Tokens with any header, made with the right keys: what an attacker could do who had a signing oracle, and
//! the proof that a refusal is due to the header and not to a bad tag.

use aes::Aes256;
use aes_gcm::{AeadInOut, Nonce};
use cbc::cipher::{BlockModeEncrypt, InnerIvInit, KeyInit, block_padding::Pkcs7};
use hmac::Mac;

use super::{SALT, SECRET};
use crate::codec::{cbc::new_mac, compact, gcm, key};

const V4_KEY: &str = "NextAuth.js Generated Encryption Key";

/// A v4 token, or with `text` deflated the encrypted form of v3: the key is the same.
pub(super) fn gcm(header: &str, text: &[u8]) -> String {
    let header = compact::encode(header.as_bytes());
    let iv = [7; 12];
    let mut text = text.to_vec();
    let tag = gcm::cipher(SECRET.as_bytes(), "", V4_KEY)
        .encrypt_inout_detached(&Nonce::from(iv), header.as_bytes(), text.as_mut_slice().into())
        .unwrap();
    join(&header, &iv, &text, &tag)
}

/// A v5 token.
pub(super) fn cbc(header: &str, text: &[u8]) -> String {
    let (_, aes) = v5_keys();
    let aes = Aes256::new(&aes.into());
    let text = cbc::Encryptor::inner_iv_init(aes, &[7; 16].into()).encrypt_padded_vec::<Pkcs7>(text);
    cbc_of_ciphertext(header, &text)
}

/// A v5 token with the right tag over a ciphertext of the caller's.
pub(super) fn cbc_of_ciphertext(header: &str, text: &[u8]) -> String {
    let header = compact::encode(header.as_bytes());
    let (mac, _) = v5_keys();
    let iv = [7; 16];
    let bits = (header.len() as u64 * 8).to_be_bytes();
    let mac = new_mac(&mac).chain_update(&header).chain_update(iv).chain_update(text).chain_update(bits);
    join(&header, &iv, text, &mac.finalize().into_bytes()[..32])
}

/// A v3 token.
pub(super) fn jws(header: &str, payload: &[u8]) -> String {
    let key = key::derive::<64>(SECRET.as_bytes(), "", "NextAuth.js Generated Signing Key");
    let signed = format!("{}.{}", compact::encode(header.as_bytes()), compact::encode(payload));
    let signature = new_mac(key.as_slice()).chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", compact::encode(&signature))
}

fn v5_keys() -> ([u8; 32], [u8; 32]) {
    let info = format!("Auth.js Generated Encryption Key ({SALT})");
    let key = key::derive::<64>(SECRET.as_bytes(), SALT, &info);
    (key[..32].try_into().unwrap(), key[32..].try_into().unwrap())
}

fn join(header: &str, iv: &[u8], text: &[u8], tag: &[u8]) -> String {
    [header, "", &compact::encode(iv), &compact::encode(text), &compact::encode(tag)].join(".")
}
