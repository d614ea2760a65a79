//! The fields of a query or a body (`docs/protocol.md` section 5.1).

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, value::RawValue};

use crate::{error::BoxError, head::media_type, reply::Reply};

/// More fields than this are no form of anybody's.
const MAX_FIELDS: usize = 4096;

/// Names and values, as they were sent: most are never looked at, and what is not text is not taken apart
/// before somebody asks for it.
#[derive(Debug, Default)]
pub(super) struct Fields {
    values: BTreeMap<String, Sent>,
}

#[derive(Debug)]
enum Sent {
    Text(String),
    /// In a form: a name that stands there twice.
    Repeated,
    /// In JSON: anything but text.
    Json(Box<RawValue>),
}

impl Fields {
    pub(super) fn form(text: &[u8]) -> Option<Self> {
        let mut fields = Self::default();
        for (count, (name, value)) in form_urlencoded::parse(text).enumerate() {
            if count >= MAX_FIELDS {
                return None;
            }
            fields
                .values
                .entry(name.into_owned())
                .and_modify(|sent| *sent = Sent::Repeated)
                .or_insert_with(|| Sent::Text(value.into_owned()));
        }
        Some(fields)
    }

    /// JSON; what is no object has no fields. `None` for text that is no JSON.
    fn json(text: &[u8]) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let whole: &RawValue = serde_json::from_slice(text).ok()?;
        if !whole.get().starts_with('{') {
            return Some(Self::default());
        }
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(whole.get()).ok()?;
        if members.len() > MAX_FIELDS {
            return None;
        }
        let sent = |value: Box<RawValue>| match serde_json::from_str(value.get()) {
            Ok(text) => Sent::Text(text),
            Err(_) => Sent::Json(value),
        };
        Some(Self { values: members.into_iter().map(|(name, value)| (name, sent(value))).collect() })
    }

    /// The text called `name`; nothing else will do.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            Sent::Text(text) => Some(text),
            Sent::Repeated | Sent::Json(_) => None,
        }
    }

    /// Whether `name` is there, and is no text, or is there more than once.
    #[cfg(feature = "oauth")]
    pub(super) fn is_spoilt(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Sent::Repeated | Sent::Json(_)))
    }

    /// All that are text, by name.
    #[cfg(feature = "oauth")]
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().filter_map(|(name, sent)| match sent {
            Sent::Text(text) => Some((name.as_str(), text.as_str())),
            Sent::Repeated | Sent::Json(_) => None,
        })
    }

    /// The value called `name`, whatever it is.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        match self.values.get(name)? {
            Sent::Text(text) => Some(Value::String(text.clone())),
            Sent::Repeated => None,
            Sent::Json(json) => serde_json::from_str(json.get()).ok(),
        }
    }
}

/// Reads a body of at most `limit` bytes. Neither form nor JSON means no fields.
pub(super) async fn read_body<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Fields, Reply>
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<BoxError>,
{
    // As browsers judge it: they send `text/plain; application/json` across sites without asking first.
    let parse = match &*media_type(headers) {
        "application/x-www-form-urlencoded" => Fields::form,
        "application/json" => Fields::json,
        _ => return Ok(Fields::default()),
    };
    parse(&collect(body, limit).await?)
        .ok_or_else(|| Reply::text(StatusCode::BAD_REQUEST, "Invalid body").bare())
}

async fn collect<B>(body: B, limit: usize) -> Result<Bytes, Reply>
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Reply::text(StatusCode::PAYLOAD_TOO_LARGE, format!("Body exceeded {limit} bytes")).bare())
        }
        Err(error) => {
            tracing::debug!(%error, "a body could not be read to its end");
            Err(Reply::text(StatusCode::BAD_REQUEST, "Invalid body").bare())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_and_json() {
        let form = Fields::form(b"a=1&b=x+y%21&c=1&c=2&d&=e").unwrap();
        assert_eq!(
            (form.text("a"), form.text("b"), form.text("c"), form.text("d")),
            (Some("1"), Some("x y!"), None, Some(""))
        );
        let json = Fields::json(br#"{"a":"1","b":true,"__proto__":{"c":"2"}}"#).unwrap();
        assert_eq!((json.text("a"), json.text("b"), json.text("c")), (Some("1"), None, None));
        for text in ["[]", "null", "1", "\"a=1\"", ""] {
            assert!(Fields::json(text.as_bytes()).unwrap().values.is_empty(), "{text}");
        }
        for text in ["{", "{\"a\":1,}", "not json", "\u{0}"] {
            assert!(Fields::json(text.as_bytes()).is_none(), "{text}");
        }
    }

    /// S96: at the limit and one above it.
    #[test]
    fn s96_fields_are_bounded() {
        let form = |count: usize| (0..count).map(|field| format!("f{field}=1")).collect::<Vec<_>>().join("&");
        assert!(Fields::form(form(MAX_FIELDS).as_bytes()).is_some());
        assert!(Fields::form(form(MAX_FIELDS + 1).as_bytes()).is_none());
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(Fields::json(deep.as_bytes()).and_then(|fields| fields.value("a")), None);
    }

    proptest! {
        /// S95: no body makes the readers panic.
        #[test]
        fn s95_any_body(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = (Fields::form(&body), Fields::json(&body));
        }
    }
}
