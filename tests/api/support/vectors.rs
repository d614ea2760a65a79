//! The golden values of `tests/vectors`: what the npm packages did.

use std::collections::BTreeMap;

use portcullis::{Dialect, Secret};
use serde_json::Value;

use super::golden;

/// One recorded case.
pub struct Vector(Value);

/// The cases of one file.
pub fn load(name: &str) -> Vec<Vector> {
    golden::cases(name).into_iter().map(Vector).collect()
}

impl Vector {
    /// File, seed and case.
    pub fn id(&self) -> &str {
        self.str("id")
    }

    pub fn case(&self) -> &str {
        self.str("case")
    }

    /// The run that the case belongs to; each has its own secret, origin and time.
    pub fn seed(&self) -> i64 {
        self.id().split('/').nth(1).and_then(|seed| seed.parse().ok()).unwrap()
    }

    pub fn get(&self, pointer: &str) -> &Value {
        self.0.pointer(&format!("/{pointer}")).unwrap_or(&Value::Null)
    }

    pub fn has(&self, pointer: &str) -> bool {
        self.0.pointer(&format!("/{pointer}")).is_some()
    }

    pub fn opt_str(&self, pointer: &str) -> Option<&str> {
        self.get(pointer).as_str()
    }

    pub fn str(&self, pointer: &str) -> &str {
        self.opt_str(pointer).unwrap_or_else(|| panic!("{} has no text {pointer}", self.0["id"]))
    }

    pub fn i64(&self, pointer: &str) -> i64 {
        self.get(pointer).as_i64().unwrap_or_else(|| panic!("{} has no number {pointer}", self.0["id"]))
    }

    pub fn list(&self, pointer: &str) -> &[Value] {
        self.get(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    /// The members of an object whose values are text.
    pub fn texts(&self, pointer: &str) -> BTreeMap<&str, &str> {
        let members = self.get(pointer).as_object().into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
    }

    pub fn dialect(&self) -> Dialect {
        let version = self.str("version");
        Dialect::ALL.into_iter().find(|dialect| dialect.to_string() == version).unwrap()
    }

    /// The secret, weak as the vectors have it; of a list, the first writes.
    pub fn secret(&self) -> Secret {
        match self.get("secret") {
            Value::Array(list) => {
                let mut list = list.iter().map(|secret| secret.as_str().unwrap());
                let first = Secret::new_unchecked(list.next().unwrap());
                list.fold(first, |secret, older| secret.or_previous(older))
            }
            _ => Secret::new_unchecked(self.str("secret")),
        }
    }
}
