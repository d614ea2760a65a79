//! What unit tests share: the golden values of `tests/vectors`, and requests in few words.

#[path = "../tests/api/support/golden.rs"]
mod golden;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// One file of golden values.
pub(crate) struct Vectors(Vec<Vector>);

/// One of its cases.
pub(crate) struct Vector(Value);

impl Vectors {
    pub(crate) fn load(name: &str) -> Self {
        Self(golden::cases(name).into_iter().map(Vector).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Vector> {
        self.0.iter()
    }
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
