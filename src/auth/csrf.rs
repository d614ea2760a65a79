//! The double-submit token (`docs/protocol.md` section 3).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    dialect::Rules,
    error::BoxError,
    random::{self, NoRandomness},
    secret::Secret,
};

/// What the tokens' hashes are made with.
pub(crate) struct CsrfSecrets {
    /// The first one writes, all of them verify.
    texts: Vec<Zeroizing<Vec<u8>>>,
}

/// What a request says about its CSRF token.
#[derive(Debug)]
pub(crate) struct CsrfCheck {
    /// The token of this browser.
    pub(crate) token: String,
    /// The value of its new cookie, if it needs one.
    pub(crate) cookie: Option<String>,
}

impl CsrfSecrets {
    /// v5 hashes with the whole list of secrets as text, older ones with the one they know. Read are both,
    /// and the list as it was before each rotation, so that a form that is open survives one.
    pub(crate) fn new(secret: &Secret, rules: &Rules) -> Self {
        let entries: Vec<&[u8]> = secret.entries().collect();
        let mut texts: Vec<_> = entries.iter().map(|entry| Zeroizing::new(entry.to_vec())).collect();
        texts.extend((1..entries.len()).map(|older| Zeroizing::new(entries[older..].join(&b','))));
        if rules.hashes_secret_list {
            texts.insert(0, secret.joined());
        } else {
            texts.push(secret.joined());
        }
        Self { texts }
    }

    /// Keeps the token of a cookie that was made here, or makes a new one.
    pub(crate) fn check(&self, cookie: Option<&str>) -> Result<CsrfCheck, BoxError> {
        if let Some(token) = cookie.and_then(|cookie| self.verified(cookie)) {
            return Ok(CsrfCheck { token: token.to_owned(), cookie: None });
        }
        let token = self.new_token()?;
        let cookie = format!("{token}|{}", hash(&token, &self.texts[0]));
        Ok(CsrfCheck { token, cookie: Some(cookie) })
    }

    /// 256 random bits in hexadecimal.
    pub(crate) fn new_token(&self) -> Result<String, NoRandomness> {
        random::bytes::<32>().map(|bytes| hex(&bytes))
    }

    /// What a token is stored as: the first one to write, all of them to find it by. Mailed links are hashed like
    /// CSRF tokens (`docs/protocol.md` section 8).
    pub(super) fn hashes(&self, token: &str) -> impl Iterator<Item = String> {
        self.texts.iter().map(move |text| hash(token, text))
    }

    fn verified<'c>(&self, cookie: &'c str) -> Option<&'c str> {
        let mut parts = cookie.split('|');
        let (token, given) = (parts.next()?, parts.next()?);
        let matches = |text: &Zeroizing<Vec<u8>>| hash(token, text).as_bytes().ct_eq(given.as_bytes()).into();
        self.texts.iter().any(matches).then_some(token)
    }
}

impl CsrfCheck {
    /// Whether a form carries the token that the request's cookie holds. Never on the request that makes
    /// the cookie.
    pub(crate) fn is_verified(&self, posted: Option<&str>) -> bool {
        self.cookie.is_none()
            && posted.is_some_and(|posted| posted.as_bytes().ct_eq(self.token.as_bytes()).into())
    }
}

fn hash(token: &str, secret: &[u8]) -> String {
    hex(&Sha256::new().chain_update(token).chain_update(secret).finalize())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialect::Dialect, testing::Vectors};

    fn secrets(secret: &Secret, dialect: Dialect) -> CsrfSecrets {
        CsrfSecrets::new(secret, dialect.rules())
    }

    /// The vectors `csrf`: made and verified as the packages do.
    #[test]
    fn s68_vectors() {
        for vector in Vectors::load("csrf").iter() {
            let dialect = Dialect::ALL
                .into_iter()
                .find(|dialect| dialect.to_string() == vector.str("version"))
                .unwrap();
            let secret = match vector.get("secret").as_array() {
                Some(list) => {
                    let mut list = list.iter().map(|secret| secret.as_str().unwrap());
                    let first = Secret::new_unchecked(list.next().unwrap());
                    list.fold(first, |secret, older| secret.or_previous(older))
                }
                None => Secret::new_unchecked(vector.str("secret")),
            };
            let csrf = secrets(&secret, dialect);
            if vector.has("verified") {
                let check = csrf.check(vector.opt_str("cookie_value")).unwrap();
                let posted =
                    vector.str("method") == "POST" && check.is_verified(vector.opt_str("body_token"));
                assert_eq!(posted, vector.get("verified").as_bool().unwrap(), "{}", vector.id());
                assert_eq!(
                    check.cookie.is_some(),
                    vector.get("sets_new_cookie").as_bool().unwrap(),
                    "{}",
                    vector.id()
                );
            } else {
                let check = csrf.check(Some(vector.str("cookie_value"))).unwrap();
                assert_eq!(
                    (check.token.as_str(), check.cookie),
                    (vector.str("token"), None),
                    "{}",
                    vector.id()
                );
                assert_eq!(hash(&check.token, &csrf.texts[0]), vector.str("hash"), "{}", vector.id());
            }
        }
    }

    /// S15, S68: a rotation keeps open forms working; a secret that was taken out does not verify.
    #[test]
    fn s68_rotation() {
        for dialect in Dialect::ALL {
            let before = secrets(&Secret::new_unchecked("old"), dialect).check(None).unwrap().cookie;
            let rotated = secrets(&Secret::new_unchecked("new").or_previous("old"), dialect);
            assert!(rotated.check(before.as_deref()).unwrap().cookie.is_none());
            assert!(
                secrets(&Secret::new_unchecked("new"), dialect)
                    .check(before.as_deref())
                    .unwrap()
                    .cookie
                    .is_some()
            );
        }
    }
}
