//! Attacks on the readers (`docs/security.md` section 3).

mod arbitrary;
mod forge;
mod hostile;
mod outside;
mod rotation;

use super::{Codec, JweCbc, JweGcm, JwsHs512};
use crate::secret::Secret;

const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";
const SALT: &str = "authjs.session-token";
const CLAIMS: &[u8] = br#"{"sub":"1","exp":1771070400}"#;

/// The three formats, with keys of `secret`.
fn codecs(secret: &Secret) -> [Box<dyn Codec>; 3] {
    [Box::new(JwsHs512::new(secret)), Box::new(JweGcm::new(secret, "")), Box::new(JweCbc::new(secret, SALT))]
}
