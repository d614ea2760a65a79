//! The claims of a token (RFC 7519 section 4).

use std::{borrow::Cow, fmt};

use memchr::memchr;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, Visitor},
};
use serde_json::{Map, Value};

use crate::{clock::Timestamp, user::User};

/// The members of a token, in their order.
///
/// ```
/// use portcullis::Claims;
///
/// let mut claims = Claims::default();
/// claims.insert("sub", "1");
/// claims.insert("role", "admin");
/// assert_eq!(claims.get_str("role"), Some("admin"));
/// assert_eq!(claims.subject().as_deref(), Some("1"));
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims {
    members: Map<String, Value>,
}

impl Claims {
    /// The claim called `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The claim called `name`, if it is text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Sets a claim. One that is there already keeps its place.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.members.insert(name.into(), value.into());
    }

    /// Takes a claim out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.members.shift_remove(name)
    }

    /// All claims in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    pub(crate) fn members_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.members
    }

    /// `sub` as text: whom the token is about. A number, as some applications write it, counts.
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        match self.get("sub")? {
            Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// Whether `role` is this text, or `roles` is a list that holds it.
    ///
    /// ```
    /// let mut claims = portcullis::Claims::default();
    /// claims.insert("roles", ["editor", "admin"].map(serde_json::Value::from).to_vec());
    /// assert!(claims.has_role("admin") && !claims.has_role("owner"));
    /// ```
    pub fn has_role(&self, role: &str) -> bool {
        let is = |value: &Value| value.as_str() == Some(role);
        self.get("role").is_some_and(is)
            || self.get("roles").and_then(Value::as_array).is_some_and(|roles| roles.iter().any(is))
    }

    /// Says that the user is in no store, although there is one: their id is the application's own, and may be that of
    /// somebody else in the store.
    pub(super) const UNSTORED: &str = "unstored";

    pub(crate) fn is_unstored(&self) -> bool {
        self.get(Self::UNSTORED).is_some()
    }

    /// Whatever a callback has written there: it may be what a client sent.
    pub(crate) fn set_unstored(&mut self, is_unstored: bool) {
        if is_unstored {
            self.insert(Self::UNSTORED, true);
        } else {
            self.remove(Self::UNSTORED);
        }
    }

    /// What a token says of a user from the beginning (`docs/protocol.md` section 9).
    pub(crate) fn of_user(user: &User) -> Self {
        let mut claims = Self::default();
        for (name, value) in [("name", &user.name), ("email", &user.email), ("picture", &user.image)] {
            if let Some(value) = value {
                claims.insert(name, value.as_str());
            }
        }
        claims.insert("sub", user.id.as_str());
        claims
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        // A map of JSON values always has a text.
        serde_json::to_vec(&self.members).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(crate) fn read_as<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
        serde_json::from_slice(json)
    }
}

/// Names only: values may be personal.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims")?;
        f.debug_list().entries(self.members.keys()).finish()
    }
}

/// The claims that decide whether a token counts; all others are passed over. A claim that is there with
/// another type is an error, not an absence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub(crate) struct Registered {
    #[serde(default, rename = "exp", deserialize_with = "numeric_date")]
    pub(crate) expires: Option<Timestamp>,
    #[serde(default, rename = "iat", deserialize_with = "numeric_date")]
    pub(crate) issued: Option<Timestamp>,
    #[serde(default, rename = "nbf", deserialize_with = "numeric_date")]
    pub(crate) not_before: Option<Timestamp>,
    /// When the user signed in, where that is recorded (OpenID Connect Core section 2).
    #[serde(default, deserialize_with = "numeric_date")]
    pub(crate) auth_time: Option<Timestamp>,
    /// The `iat` with which a session first came here that another server began without saying when.
    #[serde(default, rename = "orig_iat", deserialize_with = "numeric_date")]
    pub(crate) first_issued: Option<Timestamp>,
    /// When all other sessions of the user were ended and this one was not.
    #[serde(default, deserialize_with = "numeric_date")]
    pub(crate) kept_at: Option<Timestamp>,
    #[serde(default, rename = "sub", deserialize_with = "names_somebody")]
    pub(crate) has_subject: bool,
}

impl Registered {
    /// The claims that are looked at here, and the ids of tokens and sessions.
    pub(super) const NAMES: [&str; 9] =
        ["exp", "iat", "nbf", "auth_time", "orig_iat", "kept_at", "sub", "jti", "sid"];

    /// When the session began, as far as the token says.
    pub(crate) fn begun(&self) -> Option<Timestamp> {
        self.auth_time.or(self.first_issued).or(self.issued)
    }

    /// Since when nothing has ended the session.
    pub(super) fn kept(&self) -> Option<Timestamp> {
        self.begun().max(self.kept_at)
    }

    /// Reads the JSON text of some claims; anything but an object is none. JavaScript writes half of a
    /// surrogate pair as it is, which is no Unicode; such a text is mended in place (the half becomes
    /// U+FFFD) rather than refused.
    pub(crate) fn parse(json: &mut Vec<u8>) -> Option<Self> {
        if memchr(b'\\', json).is_some()
            && let Some(mended) = mend_surrogates(json)
        {
            *json = mended;
        }
        // A derived reader would take a list of values in order, too.
        json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
    }
}

/// Replaces `\ud800` to `\udfff` that are not part of a pair; nothing if there is none.
fn mend_surrogates(json: &[u8]) -> Option<Vec<u8>> {
    let mut mended = json.to_vec();
    let mut changed = false;
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        match (escaped_unit(&json[at..]), json.get(at + 6..).and_then(escaped_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                mended[at + 2..at + 6].copy_from_slice(b"fffd");
                changed = true;
                at += 6;
            }
            _ => at += 2,
        }
    }
    changed.then_some(mended)
}

fn escaped_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    deserializer.deserialize_any(NumericDate).map(Some)
}

/// RFC 7519 section 2: seconds since 1970, which may have a fraction.
struct NumericDate;

/// The year 9999.
const LATEST: f64 = 253_402_300_799.0;

impl Visitor<'_> for NumericDate {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970, up to the year 9999")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        match i64::try_from(seconds) {
            Ok(seconds) if seconds as f64 <= LATEST => Ok(Timestamp::from_secs(seconds)),
            _ => Err(E::custom("out of range")),
        }
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        u64::try_from(seconds).map_err(|_| E::custom("negative")).and_then(|seconds| self.visit_u64(seconds))
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        if (0.0..=LATEST).contains(&seconds) {
            Ok(Timestamp::from_millis((seconds * 1000.0) as i64))
        } else {
            Err(E::custom("out of range"))
        }
    }
}

fn names_somebody<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Subject;
    impl Visitor<'_> for Subject {
        type Value = bool;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text or a number")
        }
        fn visit_str<E>(self, text: &str) -> Result<bool, E> {
            Ok(!text.is_empty())
        }
        fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
            Ok(true)
        }
        fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
            Ok(true)
        }
        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(true)
        }
        fn visit_unit<E>(self) -> Result<bool, E> {
            Ok(false)
        }
    }
    deserializer.deserialize_any(Subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Option<Registered> {
        Registered::parse(&mut json.as_bytes().to_vec())
    }

    /// S11: a claim of the wrong type or out of range is an error, not an absence.
    #[test]
    fn s11_malformed_times_are_errors() {
        for value in
            ["\"1\"", "{}", "[]", "null", "true", "-1", "1e400", "1e300", "-0.5", "99999999999999999999"]
        {
            for claim in ["exp", "iat", "nbf", "auth_time", "orig_iat"] {
                assert_eq!(parse(&format!(r#"{{"sub":"1","{claim}":{value}}}"#)), None, "{claim}: {value}");
            }
        }
        let fraction = parse(r#"{"sub":"1","exp":1768478460.5}"#).unwrap();
        assert_eq!(fraction.expires.unwrap().as_millis(), 1_768_478_460_500);
        assert_eq!(parse(r#"{"sub":"1"}"#).unwrap().expires, None);
    }

    #[test]
    fn only_objects_and_somebody() {
        for json in ["null", "[]", "\"x\"", "1", "", "{", r#"{"sub":{}}"#, r#"{"exp":1,"exp":2}"#] {
            assert_eq!(parse(json), None, "{json}");
        }
        for (json, somebody) in [
            (r#"{"sub":"1"}"#, true),
            (r#"{"sub":7}"#, true),
            (r#"{"sub":""}"#, false),
            (r#"{"sub":null}"#, false),
            ("{}", false),
        ] {
            assert_eq!(parse(json).unwrap().has_subject, somebody, "{json}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_mended() {
        let mut json = br#"{"sub":"1","a":"\ud83d\ude00 \\ud800 \ud800x\udc00"}"#.to_vec();
        assert!(Registered::parse(&mut json).unwrap().has_subject);
        let claims = Claims::from_json(&json).unwrap();
        assert_eq!(claims.get_str("a"), Some("😀 \\ud800 \u{fffd}x\u{fffd}"));
    }
}
