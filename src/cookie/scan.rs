//! Reading the `Cookie` headers of a request, borrowed.

use std::borrow::Cow;

use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, GetAll},
};
use memchr::{memchr, memchr_iter, memmem::Finder};
use percent_encoding::percent_decode;

/// The `Cookie` headers of a request (HTTP/2 may send several), looked up once.
#[derive(Debug)]
pub(crate) struct CookieHeaders<'h>(GetAll<'h, HeaderValue>);

impl<'h> CookieHeaders<'h> {
    pub(crate) fn of(headers: &'h HeaderMap) -> Self {
        Self(headers.get_all(COOKIE))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    /// The decoded value of the first cookie called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<Cow<'h, str>> {
        self.pairs().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| decode(value))
    }

    /// The cookies whose name begins with `prefix`: whole names, and decoded values.
    #[cfg(feature = "oauth")]
    pub(crate) fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = (String, Cow<'h, str>)> {
        let named = move |name: &[u8]| {
            let name = str::from_utf8(name).ok()?;
            name.starts_with(prefix).then(|| name.to_owned())
        };
        self.pairs().filter_map(move |(name, value)| Some((named(name)?, decode(value))))
    }

    /// Hands over the cookies whose name begins with the text that `name` looks for: the rest of the name, and the
    /// raw value. What `pairs` and `strip_prefix` would give, without taking the other cookies apart.
    pub(crate) fn each_beginning_with(&self, name: &Finder<'_>, mut each: impl FnMut(&'h [u8], &'h [u8])) {
        for line in self.lines() {
            let mut searched = 0;
            while let Some(at) = name.find(&line[searched..]) {
                let start = searched + at;
                let behind = start + name.needle().len();
                // The next cookie begins behind the next `;`: what is in this one's value is not searched.
                let end = memchr(b';', &line[behind..]).map_or(line.len(), |length| behind + length);
                if begins_cookie(line, start)
                    && let Some((rest, value)) = named(&line[behind..end])
                {
                    each(rest, value);
                }
                searched = end;
            }
        }
    }

    /// The name and raw value of each cookie, in order.
    ///
    /// Splits at `;`, trims blanks, cuts at the first `=`; what has no `=` is passed over. Bytes outside
    /// ASCII are left as they are, so that one odd cookie cannot hide the others.
    fn pairs(&self) -> impl Iterator<Item = (&'h [u8], &'h [u8])> + use<'h> {
        self.lines().flat_map(split).filter_map(pair)
    }

    fn lines(&self) -> impl Iterator<Item = &'h [u8]> + use<'h> {
        self.0.iter().map(HeaderValue::as_bytes)
    }
}

/// A value as `decodeURIComponent` reads it; one that is malformed stays as it is.
pub(crate) fn decode(value: &[u8]) -> Cow<'_, str> {
    let value = unquote(value);
    if memchr(b'%', value).is_none() || !is_well_formed(value) {
        return text(value);
    }
    percent_decode(value).decode_utf8().unwrap_or_else(|_| text(value))
}

/// Whatever is no UTF-8 becomes U+FFFD.
fn text(value: &[u8]) -> Cow<'_, str> {
    // `from_utf8_lossy` alone goes byte by byte; a token is 700 of them, and nearly always UTF-8.
    str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::Borrowed)
}

fn split(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b';', header).chain([header.len()]).map(move |end| {
        let part = &header[start..end];
        start = end + 1;
        part
    })
}

fn pair(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr(b'=', part)?;
    Some((trim(&part[..equals]), trim(&part[equals + 1..])))
}

/// The rest of a name, which may begin with blanks, and the value.
fn named(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr(b'=', part)?;
    Some((trim_end(&part[..equals]), trim(&part[equals + 1..])))
}

/// Whether the name of a cookie begins here: only blanks stand between it and what ends the one before.
fn begins_cookie(line: &[u8], at: usize) -> bool {
    // Only up to what stands before, so that many blanks are not walked again and again.
    let before = line[..at].iter().rposition(|byte| !is_blank(*byte));
    before.is_none_or(|before| line[before] == b';')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    }
}

/// Every `%` is followed by two hexadecimal digits.
pub(crate) fn is_well_formed(value: &[u8]) -> bool {
    memchr_iter(b'%', value)
        .all(|at| value.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn finds_the_first_of_a_name() {
        let headers = headers(&[b"a=1; b=2;a=3", b" c = \"4 5\" ; noequals; d==x; e=%C3%BC%"]);
        for (name, value) in [
            ("a", Some("1")),
            ("b", Some("2")),
            ("c", Some("4 5")),
            ("noequals", None),
            ("d", Some("=x")),
            ("e", Some("%C3%BC%")),
            ("f", None),
        ] {
            assert_eq!(CookieHeaders::of(&headers).find(name).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn a_byte_outside_ascii_hides_nothing() {
        let headers = headers(&[b"odd=\xff\xfe; a=1"]);
        assert_eq!(CookieHeaders::of(&headers).find("a").as_deref(), Some("1"));
        assert_eq!(CookieHeaders::of(&headers).find("odd").as_deref(), Some("\u{fffd}\u{fffd}"));
    }

    proptest! {
        /// S95: no header line makes the scanner panic, and what it yields is part of the line.
        #[test]
        fn s95_any_line_is_scanned(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let headers: HeaderMap = [(COOKIE, value)].into_iter().collect();
                for (name, value) in CookieHeaders::of(&headers).pairs() {
                    prop_assert!(name.len() + value.len() < line.len());
                    let _ = decode(value);
                }
            }
        }

        /// The quick way to the cookies of one name finds those that the plain way finds.
        #[test]
        fn each_beginning_with_is_pairs_and_strip_prefix(line in "([ab \t;=.\"]|ab|; ab=){0,40}") {
            let headers = headers(&[line.as_bytes()]);
            let cookies = CookieHeaders::of(&headers);
            let plain = cookies.pairs().filter_map(|(name, value)| Some((name.strip_prefix(b"ab")?, value)));
            let plain: Vec<_> = plain.collect();
            let mut quick = Vec::new();
            cookies.each_beginning_with(&Finder::new("ab"), |rest, value| quick.push((rest, value)));
            prop_assert_eq!(quick, plain);
        }
    }
}
