//! The application's secret, and the older ones that are still read.

use std::{env, fmt};

use zeroize::Zeroizing;

use crate::error::ConfigError;

/// The shortest secret that is accepted, in bytes: as much entropy as the keys derived from it.
const MIN_BYTES: usize = 32;

/// Fewer different bytes than this in a secret, and somebody has leant on a key.
const MIN_DISTINCT_BYTES: usize = 8;

/// What sessions are sealed with: one secret that writes, and any number of older ones that are still read.
///
/// Never printed, wiped from memory when dropped, and judged at
/// [`AuthBuilder::build`](crate::AuthBuilder::build), which refuses a weak one with the remedy.
///
/// ```
/// use portcullis::Secret;
///
/// // `openssl rand -base64 33` makes a good one.
/// let secret = Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P").or_previous("an older one, still read while sessions live");
/// assert_eq!(format!("{secret:?}"), "Secret(2 secrets, redacted)");
/// ```
///
/// Two secrets cannot be compared, which would take a time that depends on them:
///
/// ```compile_fail,E0369
/// # use portcullis::Secret;
/// let same = Secret::new("a") == Secret::new("b");
/// ```
#[derive(Clone)]
pub struct Secret {
    entries: Vec<Zeroizing<Vec<u8>>>,
    unchecked: bool,
}

impl Secret {
    /// A secret from its bytes; text is taken as UTF-8, as the npm packages do.
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        Self { entries: vec![Zeroizing::new(secret.as_ref().to_vec())], unchecked: false }
    }

    /// A secret whose strength is not judged. For golden values and for sharing a login with a site whose
    /// secret is too weak and cannot be changed today: whoever guesses it is everybody. Those added with
    /// [`or_previous`](Self::or_previous) are not judged then either.
    pub fn new_unchecked(secret: impl AsRef<[u8]>) -> Self {
        Self { unchecked: true, ..Self::new(secret) }
    }

    /// Adds a secret that no longer writes but is still read, so that nobody is signed out by a rotation.
    ///
    /// The v5 dialect shares such a list with Auth.js; next-auth v3 and v4 know one secret only (`docs/protocol.md` section 1.3).
    #[must_use = "this returns the longer list"]
    pub fn or_previous(mut self, older: impl AsRef<[u8]>) -> Self {
        self.entries.push(Zeroizing::new(older.as_ref().to_vec()));
        self
    }

    /// Reads the environment as Auth.js does (`docs/protocol.md` section 1.3): `AUTH_SECRET`, else
    /// `NEXTAUTH_SECRET`, else the rotation list `AUTH_SECRET_3`, `AUTH_SECRET_2`, `AUTH_SECRET_1`.
    /// With `AUTH_SECRET` *and* numbered ones the numbered ones come first, the highest writes and
    /// `AUTH_SECRET` is still read.
    ///
    /// # Errors
    ///
    /// When none of them is set.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// [`from_env`](Self::from_env) over any source of variables.
    ///
    /// # Errors
    ///
    /// When `variable` knows none of the names.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let numbered = ["AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1"].into_iter().filter_map(&variable);
        let plain = variable("AUTH_SECRET").or_else(|| variable("NEXTAUTH_SECRET"));
        let entries: Vec<_> =
            numbered.chain(plain).map(|secret| Zeroizing::new(secret.into_bytes())).collect();
        if entries.is_empty() {
            return Err(ConfigError::one(
                "no secret: none of AUTH_SECRET, AUTH_SECRET_1 to _3 and NEXTAUTH_SECRET is set",
                "set AUTH_SECRET to the output of `openssl rand -base64 33`",
            ));
        }
        Ok(Self { entries, unchecked: false })
    }

    /// The secrets in order; the first one writes.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| entry.as_slice())
    }

    /// What JavaScript makes of the list when it is used as text: the entries joined by commas
    /// (`docs/protocol.md` section 3).
    pub(crate) fn joined(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.entries().collect::<Vec<_>>().join(&b','))
    }

    /// What is wrong with these secrets, each with its remedy.
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        if self.unchecked && self.entries().all(|entry| !entry.is_empty()) {
            return Vec::new();
        }
        self.entries()
            .enumerate()
            .filter_map(|(index, entry)| Some((weakness(entry)?, index)))
            .map(|(weakness, index)| {
                let which =
                    if index == 0 { "the secret".to_owned() } else { format!("secret number {}", index + 1) };
                (
                    format!("{which} {weakness}"),
                    "use the output of `openssl rand -base64 33`, kept out of the source".to_owned(),
                )
            })
            .collect()
    }
}

/// Values that stand in tutorials and templates. All are shorter than the minimum or repeat themselves
/// less than one would think, so they are listed by a telling part.
const WELL_KNOWN: [&str; 8] = [
    "changeme",
    "change_me",
    "change-me",
    "your-secret",
    "your_secret",
    "supersecret",
    "placeholder",
    "password",
];

fn weakness(secret: &[u8]) -> Option<String> {
    let distinct = secret.iter().collect::<std::collections::BTreeSet<_>>().len();
    let text = String::from_utf8_lossy(secret).to_lowercase();
    if secret.is_empty() {
        Some("is empty".to_owned())
    } else if secret.len() < MIN_BYTES {
        Some(format!("is {} bytes long; at least {MIN_BYTES} are needed", secret.len()))
    } else if distinct < MIN_DISTINCT_BYTES {
        Some(format!("has only {distinct} different bytes"))
    } else if WELL_KNOWN.iter().any(|known| text.contains(known)) {
        Some("looks like an example value".to_owned())
    } else {
        None
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.entries.len();
        write!(f, "Secret({count} secret{}, redacted)", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &'static [(&str, &str)]) -> Vec<String> {
        let lookup =
            |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let secret = Secret::from_variables(lookup).unwrap();
        secret.entries().map(|entry| String::from_utf8(entry.to_vec()).unwrap()).collect()
    }

    #[test]
    fn environment_order() {
        assert_eq!(from(&[("NEXTAUTH_SECRET", "n")]), ["n"]);
        assert_eq!(from(&[("NEXTAUTH_SECRET", "n"), ("AUTH_SECRET", "a")]), ["a"]);
        assert_eq!(
            from(&[("AUTH_SECRET_1", "1"), ("AUTH_SECRET_3", "3"), ("AUTH_SECRET", "a")]),
            ["3", "1", "a"]
        );
        assert!(Secret::from_variables(|_| None).unwrap_err().to_string().contains("openssl rand"));
    }

    /// S14: weak and well-known secrets are found, each with what is wrong.
    #[test]
    fn s14_weak_secrets_are_named() {
        for (secret, wrong) in [
            ("", "is empty"),
            ("secret", "6 bytes"),
            ("12345678", "8 bytes"),
            ("changeme", "8 bytes"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1 different"),
            ("your-secret-key-change-me-in-production-please", "example value"),
        ] {
            let problems = Secret::new(secret).problems();
            assert!(problems[0].0.contains(wrong), "{secret}: {problems:?}");
        }
        let list = Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P").or_previous("");
        assert!(list.problems()[0].0.contains("secret number 2 is empty"));
        assert!(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P").problems().is_empty());
        assert_eq!(Secret::new_unchecked("").problems().len(), 1, "an empty secret is never one");
    }

    #[test]
    fn joined_as_javascript_does() {
        assert_eq!(*Secret::new("a").or_previous("b").joined(), b"a,b");
    }
}
