//! Where a browser is led to a provider with, and the cookies that it takes along.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, response::Set};

/// A place, and the parameters of its query.
pub(super) fn parts(url: &str) -> (String, BTreeMap<String, String>) {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    // The identity provider that was recorded had no TLS.
    let place = place.replace("http://idp.test", "https://idp.test");
    (place, form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// Whether this is the provider of `http_v3`, `http_v4` and `http_v5`.
pub(super) fn is_acme(url: &str) -> bool {
    url.starts_with("https://acme.example/authorize")
}

/// Compares what that provider is told, each parameter for itself.
pub(super) fn compare(findings: &mut Findings, case: &str, expected: Option<&str>, got: Option<&str>) {
    let (Some(expected), Some(got)) = (expected.filter(|url| is_acme(url)), got.filter(|url| is_acme(url)))
    else {
        return;
    };
    let (expected, got) = (shape(&parts(expected).1), shape(&parts(got).1));
    let names: BTreeSet<_> = expected.keys().chain(got.keys()).collect();
    for name in names {
        let aspect = match name.as_str() {
            "state" => "parameter state",
            "nonce" => "parameter nonce",
            "response_type" => "parameter response_type",
            "callbackUrl" => "parameter callbackUrl",
            _ => "other parameters",
        };
        findings.compare(case, aspect, expected.get(name), got.get(name));
    }
}

/// The parameters, with what must hold of them in place of those that are random.
pub(super) fn shape(params: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    params.iter().map(|(name, value)| (name.clone(), random(name, value))).collect()
}

fn random(name: &str, value: &str) -> String {
    match name {
        "state" | "nonce" | "code_challenge" if value.len() >= 43 => "random".to_owned(),
        _ => value.to_owned(),
    }
}

/// The cookie that only this crate has.
pub(super) fn is_transaction(name: &str) -> bool {
    name.contains(".state.")
}

/// Whether a cookie is there to check the provider's answer.
pub(super) fn is_check(name: &str) -> bool {
    is_transaction(name) || [".state", ".pkce.code_verifier", ".nonce"].iter().any(|end| name.ends_with(end))
}

/// The cookies that Auth.js has as well, each as `shape` has it.
pub(super) fn shared<'c>(
    cookies: &'c [Set],
    shape: impl Fn(&Set) -> Set + 'c,
) -> impl Iterator<Item = Set> + 'c {
    cookies.iter().filter(|cookie| !is_transaction(&cookie.name)).map(shape)
}
