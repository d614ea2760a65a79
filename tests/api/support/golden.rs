//! Reading the golden values. The crate's unit tests include this file too.

use std::{fs, path::Path};

use serde_json::Value;

/// The cases of one file of `tests/vectors`.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut file: Value = serde_json::from_str(&mend(&text)).unwrap();
    let Value::Array(cases) = file["vectors"].take() else { panic!("{name} holds no vectors") };
    assert!(!cases.is_empty(), "{name} is empty");
    cases
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
