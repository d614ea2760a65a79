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

use std::{collections::BTreeSet, fmt, fs, path::Path};

use serde_json::Value;

/// One thing in which an answer was not what was recorded.
#[derive(Debug)]
struct Difference {
    case: String,
    /// Which part of the answer: `status`, `location`, `cookies` and so on.
    aspect: &'static str,
    expected: String,
    got: String,
}

/// A difference that is meant.
struct Deliberate {
    /// Names of cases, with the version in front; `*` stands for anything.
    cases: &'static [&'static str],
    aspects: &'static [&'static str],
    /// The anchor in `docs/hardening.md` that says why.
    reason: &'static str,
}

/// Cases that are not replayed, because they need something that this crate does not have.
struct Skipped {
    prefix: &'static str,
    reason: &'static str,
}

/// What a test has found so far.
#[derive(Default)]
struct Findings {
    differences: Vec<Difference>,
    cases: usize,
}

impl Findings {
    /// Notes a difference unless both are the same.
    fn compare<T: fmt::Debug + PartialEq>(&mut self, case: &str, aspect: &'static str, expected: T, got: T) {
        if expected != got {
            let (case, expected, got) = (case.to_owned(), format!("{expected:?}"), format!("{got:?}"));
            self.differences.push(Difference { case, aspect, expected, got });
        }
    }

    /// Compares what a token says; apart from that, which members say nothing.
    fn compare_claims(&mut self, case: &str, expected: Option<Value>, got: Option<Value>) {
        let nulls = |split: Option<(Value, BTreeSet<String>)>| match split {
            Some((claims, nulls)) => (Some(claims), nulls),
            None => (None, BTreeSet::new()),
        };
        let (expected, expected_nulls) = nulls(expected.map(without_nulls));
        let (got, got_nulls) = nulls(got.map(without_nulls));
        self.compare(case, "claims", expected, got);
        self.compare(case, "claims that are null", expected_nulls, got_nulls);
    }

    /// Fails unless the differences are exactly those of the table.
    #[track_caller]
    fn settle(self, table: &[Deliberate]) {
        assert!(self.cases > 0, "nothing was replayed");
        let mut needed = BTreeSet::new();
        let mut complaints = Vec::new();
        for difference in &self.differences {
            let rows: Vec<_> = rows(table).filter(|row| row.allows(difference)).collect();
            if rows.is_empty() {
                let Difference { case, aspect, expected, got } = difference;
                complaints.push(format!("{case}: {aspect}\n    expected {expected}\n    got      {got}"));
            }
            needed.extend(rows.into_iter().map(|row| row.index));
        }
        let idle = rows(table).filter(|row| !needed.contains(&row.index));
        complaints.extend(idle.map(|row| format!("no difference any more: {} {}", row.cases, row.aspect)));
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hardening.md");
        let document = fs::read_to_string(document).unwrap();
        let unexplained = table.iter().filter(|row| !document.contains(&format!("id=\"{}\"", row.reason)));
        complaints.extend(unexplained.map(|row| format!("docs/hardening.md has no anchor {}", row.reason)));
        assert!(
            complaints.is_empty(),
            "{} of {} cases:\n{}",
            complaints.len(),
            self.cases,
            complaints.join("\n")
        );
    }
}

/// Claims without the members that are null, and their names.
fn without_nulls(mut claims: Value) -> (Value, BTreeSet<String>) {
    let mut nulls = BTreeSet::new();
    if let Some(members) = claims.as_object_mut() {
        nulls.extend(members.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()));
        members.retain(|_, value| !value.is_null());
    }
    (claims, nulls)
}

/// One pattern with one aspect.
struct Row {
    index: (usize, usize, usize),
    cases: &'static str,
    aspect: &'static str,
}

fn rows(table: &[Deliberate]) -> impl Iterator<Item = Row> {
    table.iter().enumerate().flat_map(|(row, deliberate)| {
        deliberate.cases.iter().enumerate().flat_map(move |(case, cases)| {
            let aspects = deliberate.aspects.iter().enumerate();
            aspects.map(move |(aspect, name)| Row { index: (row, case, aspect), cases, aspect: name })
        })
    })
}

impl Row {
    fn allows(&self, difference: &Difference) -> bool {
        self.aspect == difference.aspect && matches(self.cases, &difference.case)
    }
}

/// Whether `pattern`, in which `*` stands for any text, is `name`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| matches(rest, &tail[at..]))
        }),
    }
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
