//! The golden vectors of `tests/vectors`, replayed: is this crate on the wire what Auth.js is?
//!
//! Each test collects every difference and settles it with a table of those that are meant. A difference
//! that is not in the table fails, and so does a row of the table that no case needs any more.

#[cfg(feature = "oauth")]
mod app_router;
mod authorization;
mod callback_url;
mod cookies;
mod database;
mod deliberate;
mod email_tokens;
mod errors;
mod get_token;
mod guards;
mod http;
#[cfg(feature = "oauth")]
mod oauth;
mod origins;
mod page;
mod response;
mod site;

use std::collections::BTreeSet;

use crate::support::findings::{Deliberate, Findings, matches};

/// Cases that are not replayed, because they need something that this crate does not have.
struct Skipped {
    prefix: &'static str,
    reason: &'static str,
}

/// Whether a case is to be replayed; each row of `list` must be of use, which `used` keeps.
fn is_skipped(list: &[Skipped], case: &str, used: &mut BTreeSet<&'static str>) -> bool {
    let row = list.iter().find(|row| case.starts_with(row.prefix));
    used.extend(row.map(|row| row.prefix));
    row.is_some()
}

/// Fails for a row that names no case, and for one without a reason.
#[track_caller]
fn check_skipped(list: &[Skipped], used: &BTreeSet<&'static str>) {
    let idle: Vec<_> = list
        .iter()
        .filter(|row| row.reason.is_empty() || !used.contains(row.prefix))
        .map(|row| row.prefix)
        .collect();
    assert!(idle.is_empty(), "nothing to skip there: {idle:?}");
}

#[test]
fn patterns() {
    for (pattern, name, expected) in [
        ("v4/a", "v4/a", true),
        ("v4/a", "v4/ab", false),
        ("*/a", "v4/a", true),
        ("*/a*", "v4/ab", true),
        ("v4/*/form", "v4/x/y/form", true),
        ("v4/*/form", "v4/x/client", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

/// A difference that nobody meant is a failure.
#[test]
#[should_panic(expected = "v4/a: status")]
fn an_unexpected_difference_fails() {
    let mut findings = Findings { cases: 1, ..Findings::default() };
    findings.compare("v4/a", "status", 200, 500);
    findings.settle(&[]);
}

/// So is a row that no case needs.
#[test]
#[should_panic(expected = "no difference any more: v4/a status")]
fn a_difference_that_is_gone_fails() {
    let findings = Findings { cases: 1, ..Findings::default() };
    findings.settle(&[Deliberate { cases: &["v4/a"], aspects: &["status"], reason: "callback-url" }]);
}
