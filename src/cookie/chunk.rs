//! The session cookie, which may have been split over several (`docs/protocol.md` section 2.3).
//!
//! Written as the npm packages do. Read more strictly, as its Advice says: only the name itself and
//! `name.N` with a canonical number count, numbers start at 0 without a gap, the plain cookie and the
//! chunks are never mixed, and two values for one name are never joined.

use std::{borrow::Cow, collections::BTreeMap};

use memchr::memmem::Finder;

use crate::{
    clock::Timestamp,
    cookie::{
        scan::{CookieHeaders, decode},
        spec::{CookieSpec, SetCookie},
    },
};

/// Chunks with this number or a higher one are not ours: 32 chunks are 128 kB, the longest token that is
/// looked at, and more than servers take as headers.
const MAX_CHUNKS: usize = 32;

/// More values for one name than this are not looked at.
const MAX_CANDIDATES: usize = 4;

/// The session cookies of one name that a request carries, borrowed from its headers.
#[derive(Debug, Default)]
pub(crate) struct SessionCookies<'a> {
    /// Values of the plain name, first ones first.
    plain: [Option<&'a [u8]>; MAX_CANDIDATES],
    has_plain: bool,
    /// Chunks by number; a number with two different values is spoilt.
    chunks: BTreeMap<usize, Option<&'a [u8]>>,
}

impl<'a> SessionCookies<'a> {
    /// Looks for the cookies called what `name` looks for, plain or numbered. Allocates only when there is a
    /// numbered one.
    pub(crate) fn scan(cookies: &CookieHeaders<'a>, name: &Finder<'_>) -> Option<Self> {
        let mut found = None::<Self>;
        cookies.each_beginning_with(name, |suffix, value| match part(suffix) {
            Some(Part::Whole) => found.get_or_insert_default().add_plain(value),
            Some(Part::Chunk(number)) => found.get_or_insert_default().add_chunk(number, value),
            None => {}
        });
        found
    }

    /// The values that may be the token, best first: each plain cookie, then the chunks joined.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Cow<'a, str>> + '_ {
        self.plain().map(decode).chain(self.joined().map(Cow::Owned))
    }

    /// How many of them there are, without decoding any.
    pub(crate) fn count(&self) -> usize {
        self.plain().count() + usize::from(self.is_whole())
    }

    /// Which cookies are there: the plain one (`None`), then the chunks in order of number.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Option<usize>> {
        self.has_plain.then_some(None).into_iter().chain(self.chunks.keys().copied().map(Some))
    }

    fn add_plain(&mut self, value: &'a [u8]) {
        self.has_plain = true;
        for slot in &mut self.plain {
            match slot {
                None => return *slot = Some(value),
                Some(seen) if *seen == value => return,
                Some(_) => {}
            }
        }
    }

    fn add_chunk(&mut self, number: usize, value: &'a [u8]) {
        self.chunks
            .entry(number)
            .and_modify(|seen| {
                if *seen != Some(value) {
                    *seen = None;
                }
            })
            .or_insert(Some(value));
    }

    fn plain(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.plain.iter().flatten().copied().filter(|value| !value.is_empty())
    }

    /// Whether there are chunks, without a gap, and one value for each.
    fn is_whole(&self) -> bool {
        let mut numbered = self.chunks.iter().enumerate();
        !self.chunks.is_empty()
            && numbered.all(|(index, (number, value))| index == *number && value.is_some())
    }

    fn joined(&self) -> Option<String> {
        if !self.is_whole() {
            return None;
        }
        let length = self.chunks.values().flatten().map(|value| value.len()).sum();
        let mut token = String::with_capacity(length);
        for value in self.chunks.values() {
            token.push_str(&decode((*value)?));
        }
        Some(token)
    }
}

/// What of the token a cookie carries.
enum Part {
    Whole,
    Chunk(usize),
}

/// What the cookie with this behind the session cookie's name carries; nothing, if it only looks like one.
fn part(suffix: &[u8]) -> Option<Part> {
    if suffix.is_empty() { Some(Part::Whole) } else { chunk_number(suffix).map(Part::Chunk) }
}

/// `.N` with N from 0 to [`MAX_CHUNKS`], written as JavaScript writes numbers.
fn chunk_number(suffix: &[u8]) -> Option<usize> {
    let digits = suffix.strip_prefix(b".")?;
    let canonical = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.iter().all(u8::is_ascii_digit);
    let number: usize = str::from_utf8(digits).ok().filter(|_| canonical)?.parse().ok()?;
    (number < MAX_CHUNKS).then_some(number)
}

/// Writes `token` into the session cookie, or into as many as it takes, and removes those of `present`
/// (the names in the request) that it does not use.
///
/// In the order of the npm packages: removals and rewritten cookies in the order of the request, then new ones.
pub(crate) fn write_session(
    spec: &CookieSpec,
    chunk_size: Option<usize>,
    token: &str,
    present: impl IntoIterator<Item = String>,
    expires: Timestamp,
    now: Timestamp,
) -> Vec<SetCookie> {
    let mut fresh = split(&spec.name, token, chunk_size);
    let mut cookies: Vec<SetCookie> = present
        .into_iter()
        .map(|name| match fresh.iter().position(|(of, _)| *of == name) {
            Some(index) => spec.set_until(&name, fresh.remove(index).1, expires),
            None => spec.remove(&name, now),
        })
        .collect();
    cookies.extend(fresh.into_iter().map(|(name, value)| spec.set_until(&name, value, expires)));
    cookies
}

/// The names and values that a token is written as. Tokens are ASCII, so characters are bytes; anything
/// else is not split.
fn split<'t>(name: &str, token: &'t str, chunk_size: Option<usize>) -> Vec<(String, &'t str)> {
    match chunk_size {
        _ if token.is_empty() => Vec::new(),
        Some(size) if token.len() > size && token.is_ascii() => (0..token.len().div_ceil(size))
            .map(|number| {
                let end = token.len().min((number + 1) * size);
                (format!("{name}.{number}"), &token[number * size..end])
            })
            .collect(),
        _ => vec![(name.to_owned(), token)],
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::COOKIE};
    use proptest::prelude::*;

    use super::*;

    fn candidates(cookie: &str) -> Vec<String> {
        let headers: HeaderMap = [(COOKIE, HeaderValue::from_str(cookie).unwrap())].into_iter().collect();
        let cookies = CookieHeaders::of(&headers);
        let ours = SessionCookies::scan(&cookies, &Finder::new("s"));
        ours.iter().flat_map(SessionCookies::candidates).map(Cow::into_owned).collect()
    }

    /// S3, S4: what counts as the session cookie, and what does not.
    #[test]
    fn s3_s4_only_exact_names_and_whole_chains() {
        for (cookie, expected) in [
            ("a=1", &[][..]),
            ("s=x", &["x"]),
            ("s=", &[]),
            ("s.0=a; s.1=b", &["ab"]),
            ("s.1=b; s.0=a", &["ab"]),
            ("s.0=a; s.2=c", &[]),
            ("s.1=b", &[]),
            ("s.00=a", &[]),
            ("s.0=a; s.01=b", &["a"]),
            ("s.0=a; s.1e0=b", &["a"]),
            ("s.0=a; s.99999999999999999999=b", &["a"]),
            ("s.0=a; s.+1=b", &["a"]),
            ("s-other=x; sX=y; s.x=z", &[]),
            ("s=p; s.0=a", &["p", "a"]),
            ("s=evil; s=good", &["evil", "good"]),
            ("s=good; s=evil", &["good", "evil"]),
            ("s=x; s=x", &["x"]),
            ("s.0=a; s.0=b", &[]),
            ("s.0=a; s.0=a; s.1=b", &["ab"]),
        ] {
            assert_eq!(candidates(cookie), expected, "{cookie}");
        }
    }

    /// S4, S96: thousands of chunks are bounded.
    #[test]
    fn s4_many_chunks_are_no_session() {
        let cookie: Vec<_> = (0..10_000).map(|number| format!("s.{number}=a")).collect();
        assert_eq!(candidates(&cookie.join("; ")), ["a".repeat(MAX_CHUNKS)]);
        let same: Vec<_> = (0..10_000).map(|number| format!("s=v{number}")).collect();
        assert_eq!(candidates(&same.join("; ")).len(), MAX_CANDIDATES);
    }

    proptest! {
        /// Whatever is written is read back.
        #[test]
        fn split_and_joined(token in "[A-Za-z0-9._-]{1,2000}", size in 1usize..300) {
            prop_assume!(token.len().div_ceil(size) <= MAX_CHUNKS);
            let cookie: Vec<_> = split("s", &token, Some(size)).iter().map(|(name, value)| format!("{name}={value}")).collect();
            prop_assert_eq!(candidates(&cookie.join("; ")), [token]);
        }

        /// S95: no header makes the joiner panic.
        #[test]
        fn s95_any_names(cookie in "(s(\\.[0-9a-z+]{0,4})?=[ -:<-~]{0,8};? ?){0,12}") {
            let _ = candidates(&cookie);
        }
    }
}
