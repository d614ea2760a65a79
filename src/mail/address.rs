//! Addresses: one form for one mailbox, and never more than one (`docs/protocol.md` section 8).

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// One e-mail address in the form that is compared, stored and written to: NFKC, lower case, trimmed.
///
/// What is none, or more than one, does not become one: no commas, semicolons, quotes, brackets, comments, blanks or
/// invisible characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// The longest address that SMTP carries (RFC 5321 section 4.5.3.1.3), in bytes.
const MAX_BYTES: usize = 254;

impl EmailAddress {
    /// Reads what somebody typed; `None` if it is not one address.
    ///
    /// ```
    /// use portcullis::mail::EmailAddress;
    ///
    /// assert_eq!(EmailAddress::parse(" J.Smith@Example.COM ").unwrap().as_str(), "j.smith@example.com");
    /// assert!(EmailAddress::parse("j.smith@example.com, evil@example.com").is_none());
    /// ```
    pub fn parse(typed: &str) -> Option<Self> {
        Self::normalise(typed, false)
    }

    /// `needs_dot`: the domain has to have one, as v4 asks.
    pub(crate) fn normalise(typed: &str, needs_dot: bool) -> Option<Self> {
        if typed.len() > 4 * MAX_BYTES {
            return None;
        }
        let text = typed.nfkc().collect::<String>().to_lowercase();
        // What JavaScript trims.
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let (local, domain) = text.split_once('@').filter(|(_, domain)| !domain.contains('@'))?;
        // As Auth.js: a list ends at its first comma.
        let domain = domain.split(',').next().unwrap_or_default();
        if local.is_empty() || domain.is_empty() || (needs_dot && !domain.contains('.')) {
            return None;
        }
        let address = format!("{local}@{domain}");
        // What becomes another address when it is read once more is not the form of one.
        let settled = address.nfkc().collect::<String>().to_lowercase() == address;
        let fits = address.len() <= MAX_BYTES && address.chars().all(is_allowed);
        (settled && fits).then_some(Self(address))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not what parts a list, quotes, comments, hides, or ends a line.
fn is_allowed(character: char) -> bool {
    let separates = matches!(character, ',' | ';' | ':' | '"' | '\\' | '(' | ')' | '<' | '>' | '[' | ']');
    let invisible = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !separates && !invisible && !character.is_control() && !character.is_whitespace()
}

/// It is personal.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Vectors;

    /// Addresses that Auth.js takes and mail does not: they are refused (`docs/hardening.md`).
    const REFUSED: [&str; 4] =
        ["a,b@example.com", "a b@example.com", "a;b@example.com", "a@example.com\u{200b}"];

    /// S52: the same address as the npm packages make of it.
    #[test]
    fn s52_vectors() {
        let mut compared = 0;
        for vector in Vectors::load("email_tokens").iter() {
            let needs_dot = match vector.str("version") {
                "v3" => continue, // Its rule lets addresses be cut in two; the one of v5 is used.
                version => version == "v4",
            };
            if vector.get("options").get("normalize").is_some() {
                continue; // A rule of the application's own.
            }
            let input = vector.str("input");
            let ours = EmailAddress::normalise(input, needs_dot);
            if REFUSED.contains(&input) {
                assert_eq!(ours, None, "{input:?}");
            } else {
                let theirs = vector.opt_str("identifier");
                assert_eq!(ours.as_ref().map(EmailAddress::as_str), theirs, "{}: {input:?}", vector.id());
                compared += 1;
            }
        }
        assert!(compared > 50);
    }

    /// S51, S52.
    #[test]
    fn s51_one_address_or_none() {
        for typed in [
            "",
            "@",
            "a@",
            "@b.c",
            "a@b@c.d",
            "a@b.c\r\nBcc: d@e.f",
            "a@b.c;d@e.f",
            "<a@b.c>",
            "a(comment)@b.c",
            "@relay.example:a@b.c",
            "\"a\"@b.c",
            "a\\@b.c",
            "a@[127.0.0.1]",
            "a\u{0}@b.c",
            "a@b\u{202e}.c",
            "J\u{30c}@b.c",
            "=?utf-8?q?a?=@b.c, d@e.f, \"x\"@y.z@w",
        ] {
            assert_eq!(EmailAddress::parse(typed), None, "{typed:?}");
        }
        for (typed, address) in [
            ("user\u{ff20}example.com", "user@example.com"),
            ("user\u{fe6b}example.com", "user@example.com"),
            ("a@example.com\u{ff0c}evil.com", "a@example.com"),
            ("D\u{131}na@example.com", "d\u{131}na@example.com"),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), address);
        }
    }
}
