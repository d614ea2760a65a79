//! Where there are no tokens.

use super::{Codec, CodecError, Opened};

/// Opens nothing and makes nothing: for services whose sessions live in a store.
#[derive(Debug)]
pub(crate) struct NoTokens;

impl Codec for NoTokens {
    fn encode(&self, _: &[u8]) -> Result<String, CodecError> {
        Err(CodecError::unavailable())
    }

    fn decode(&self, _: &str) -> Result<Opened, CodecError> {
        Err(CodecError::refused())
    }
}
