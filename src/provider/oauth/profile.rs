//! From what a provider says of a user to a user.

use std::fmt;

use serde_json::{Map, Value};

use crate::{clock::Timestamp, error::BoxError, user::User};

/// What a provider says of a user: the claims of the ID token, or what the userinfo endpoint has answered.
#[derive(Clone)]
pub struct Profile {
    members: Value,
    at: Timestamp,
}

impl Profile {
    pub(crate) fn new(members: Value, at: Timestamp) -> Self {
        Self { members, at }
    }

    /// The value under a JSON pointer (RFC 6901), such as `/data/0/id`.
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.members.pointer(pointer)
    }

    /// Text under a JSON pointer; whole numbers count, empty text does not. With pointers in braces they are replaced
    /// within the text around them, if all of them are there: `{/first} {/last}`. A number with a fraction, or one of
    /// more than 64 bits, is no text: it has been rounded, and two ids could have become one.
    ///
    /// ```
    /// # use portcullis::{OAuth, User};
    /// # let _ = OAuth::oidc("a", "https://id.example", "b", "c").profile(|profile| {
    /// let avatar = profile.text("https://cdn.example/{/id}/{/avatar}.png");
    /// # Ok(User::new(avatar.unwrap_or_default()))
    /// # });
    /// ```
    pub fn text(&self, template: &str) -> Option<String> {
        if !template.contains('{') {
            return match self.get(template)? {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Number(number) if !number.is_f64() => Some(number.to_string()),
                _ => None,
            };
        }
        let mut pieces = template.split('{');
        let mut text = pieces.next()?.to_owned();
        for piece in pieces {
            let (pointer, rest) = piece.split_once('}')?;
            text.push_str(&self.text(pointer)?);
            text.push_str(rest);
        }
        Some(text)
    }

    /// Now, if `proof` says that the e-mail address has been proved to be the user's.
    pub fn proved_at(&self, proof: Proof) -> Option<Timestamp> {
        let proved = match proof {
            Proof::Never => false,
            Proof::Always => true,
            // Some write booleans as text.
            Proof::Member(pointer) => match self.get(pointer) {
                Some(Value::Bool(proved)) => *proved,
                Some(Value::String(text)) => text == "true",
                _ => false,
            },
        };
        proved.then_some(self.at)
    }

    /// All members.
    pub fn members(&self) -> Map<String, Value> {
        self.members.as_object().cloned().unwrap_or_default()
    }
}

/// Without what it says: that is personal.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

/// Which member of a profile is what of a user: for each, the places to look at, of which the first that has text
/// counts. A place is what [`Profile::text`] takes.
#[derive(Debug, Clone, Copy)]
pub struct ProfileMap {
    /// The user's id at the provider: what it never gives to anybody else, and never changes.
    pub id: &'static [&'static str],
    /// The name to show.
    pub name: &'static [&'static str],
    /// The e-mail address.
    pub email: &'static [&'static str],
    /// Whether the provider has made sure that the address is the user's.
    pub email_verified: Proof,
    /// The address of a picture.
    pub image: &'static [&'static str],
}

/// Whether a provider has made sure that an e-mail address is the user's. Where it does not say so, it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It does not say.
    Never,
    /// It documents that it gives no others.
    Always,
    /// The member under this JSON pointer says so.
    Member(&'static str),
}

impl ProfileMap {
    /// The standard claims (OpenID Connect Core section 5.1).
    pub const OIDC: Self = Self {
        id: &["/sub"],
        name: &["/name", "/nickname", "/preferred_username"],
        email: &["/email"],
        email_verified: Proof::Member("/email_verified"),
        image: &["/picture"],
    };

    /// The usual names of OAuth 2 without more; nothing is taken for proved.
    pub const PLAIN: Self =
        Self { id: &["/id"], name: &["/name"], email: &["/email"], email_verified: Proof::Never, image: &[] };

    pub(crate) fn read(&self, profile: &Profile) -> Result<User, BoxError> {
        let first = |places: &[&str]| places.iter().find_map(|place| profile.text(place));
        let id = first(self.id).ok_or("the profile has no id of the user")?;
        let email = first(self.email);
        let mut user = User::new(id);
        user.email_verified = email.as_ref().and_then(|_| profile.proved_at(self.email_verified));
        user.name = first(self.name);
        user.email = email;
        user.image = first(self.image);
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S37: what is read of two ids is never the same.
    #[test]
    fn s37_numbers_that_were_rounded_are_no_text() {
        let cases = [
            ("0", Some("0")),
            ("-9223372036854775808", Some("-9223372036854775808")),
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", None),
            ("18446744073709551617", None),
            ("-9223372036854775809", None),
            ("1.5", None),
            ("1e3", None),
            ("\"18446744073709551617\"", Some("18446744073709551617")),
            ("\"\"", None),
            ("true", None),
        ];
        for (written, expected) in cases {
            let members = serde_json::from_str(&format!("{{\"id\":{written}}}")).unwrap();
            let profile = Profile::new(members, Timestamp::from_secs(0));
            assert_eq!(profile.text("/id").as_deref(), expected, "{written}");
            assert_eq!(profile.text("{/id}").as_deref(), expected, "{written} in a template");
        }
    }
}
