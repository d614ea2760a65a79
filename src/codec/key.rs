//! Keys from secrets, as the npm packages derive them (`docs/protocol.md` section 4).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::{CodecError, Kind};
use crate::random;

/// `N` bytes of HKDF-SHA-256 (RFC 5869).
pub(super) fn derive<const N: usize>(secret: &[u8], salt: &str, info: &str) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    // Fails for more than 255 blocks only; ours are one or two.
    let _ = Hkdf::<Sha256>::new(Some(salt.as_bytes()), secret).expand(info.as_bytes(), key.as_mut_slice());
    key
}

/// Random bytes of the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], CodecError> {
    random::bytes().map_err(|_| CodecError::new(Kind::Unavailable))
}
