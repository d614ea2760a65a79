//! A signed token in parts, and the one place that verifies its signature.

use jsonwebtoken::DecodingKey;

use super::JwsAlgorithm;
use crate::codec::{
    Opened, compact,
    error::{CodecError, Kind},
};

/// The compact form of RFC 7515 section 7.1.
pub(in crate::codec) struct SignedToken<'t> {
    pub(in crate::codec) header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// What the signature is over: header and payload, with the point between them.
    signed: &'t [u8],
}

impl<'t> SignedToken<'t> {
    pub(in crate::codec) fn split(token: &'t str) -> Result<Self, CodecError> {
        let [header, payload, signature] = compact::split(token)?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        Ok(Self { header, payload, signature, signed })
    }

    /// The claims, if the holder of one of the keys has signed them. The first key is the present one.
    pub(in crate::codec) fn open<'k>(
        &self,
        algorithm: JwsAlgorithm,
        keys: impl IntoIterator<Item = &'k DecodingKey>,
    ) -> Result<Opened, CodecError> {
        let signature = compact::decode(self.signature)?;
        let signer = keys.into_iter().position(|key| algorithm.verifies(key, self.signed, &signature));
        let signer = signer.ok_or(CodecError::new(Kind::Authentication))?;
        Ok(Opened::new(compact::decode(self.payload)?, signer > 0))
    }
}
