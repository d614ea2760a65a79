//! What unit tests share: the golden values of `tests/vectors`, and requests in few words.

use std::{fs, path::Path};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// One file of golden values.
pub(crate) struct Vectors(Vec<Vector>);

/// One of its cases.
pub(crate) struct Vector(Value);

impl Vectors {
    pub(crate) fn load(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{name}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file: Value = serde_json::from_str(&mend(&text)).unwrap();
        Self(file["vectors"].as_array().unwrap().iter().cloned().map(Vector).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Vector> {
        self.0.iter()
    }
}

/// The files hold halves of surrogate pairs, which JSON allows and Rust's text does not. A backslash that is
/// escaped itself begins no such half.
fn mend(text: &str) -> String {
    let half = regex::Regex::new(
        r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}",
    )
    .unwrap();
    half.replace_all(text, |found: &regex::Captures<'_>| match (&found[0], found.get(1)) {
        (whole @ r"\\", _) | (whole, Some(_)) => whole.to_owned(),
        (_, None) => r"\ufffd".to_owned(),
    })
    .into_owned()
}

impl Vector {
    pub(crate) fn id(&self) -> &str {
        self.str("id")
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some()
    }

    pub(crate) fn get(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or(&Value::Null)
    }

    pub(crate) fn opt_str(&self, key: &str) -> Option<&str> {
        self.get(key).as_str()
    }

    pub(crate) fn str(&self, key: &str) -> &str {
        self.opt_str(key).unwrap_or_else(|| panic!("{:?} has no text {key}", self.0.get("id")))
    }

    /// Bytes that are recorded in hexadecimal.
    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        from_hex(self.str(key))
    }

    pub(crate) fn i64(&self, key: &str) -> i64 {
        self.get(key).as_i64().unwrap_or_else(|| panic!("{:?} has no number {key}", self.0.get("id")))
    }
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap()))
        .collect()
}
