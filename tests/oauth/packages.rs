//! Sign-ins as a server of the npm packages begins them.

use portcullis::{
    Dialect, Secret,
    codec::{Codec, JweCbc, JweGcm},
};
use serde_json::Value;

use crate::support::{Browser, SECRET};

/// Whether a cookie holds all of a sign-in that was begun here.
pub fn is_own(name: &str) -> bool {
    name.contains(".state.")
}

/// Whether a cookie is one of those that the packages have as well.
pub fn is_check(name: &str) -> bool {
    [".state", ".pkce.code_verifier", ".nonce"].iter().any(|end| name.ends_with(end))
}

/// As if a server of the packages had begun what this browser has begun here: without the cookie that holds all of it, and
/// without what this crate alone writes into the others.
pub fn begun_by_the_packages(browser: &mut Browser, dialect: Dialect) {
    browser.jar.retain(|name, _| !is_own(name));
    for (name, value) in browser.jar.iter_mut().filter(|(name, _)| is_check(name)) {
        let secret = Secret::new(SECRET);
        let codec: &dyn Codec = match dialect == Dialect::V5 {
            true => &JweCbc::new(&secret, name),
            false => &JweGcm::new(&secret, name),
        };
        let mut check: Value = serde_json::from_slice(&codec.decode(value).unwrap().claims).unwrap();
        check.as_object_mut().unwrap().remove("began_as").unwrap();
        *value = codec.encode(check.to_string().as_bytes()).unwrap();
    }
}
