//! The golden values `cookie_defaults` and `cookie_chunking`: names, attributes, values and chunks.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use serde_json::Value;

use super::{CookieHeaders, CookieNames, CookiePolicy, CookieSpec, SetCookie, write_session};
use crate::{
    clock::Timestamp,
    dialect::Dialect,
    testing::{Vector, Vectors},
};

fn dialect(vector: &Vector) -> Dialect {
    Dialect::ALL.into_iter().find(|dialect| dialect.to_string() == vector.str("version")).unwrap()
}

/// The cookie that a vector is about, if there is one of that kind here.
fn spec(vector: &Vector, secure: bool, key: &str) -> Option<CookieSpec> {
    let names = CookieNames::new(dialect(vector).rules(), &CookiePolicy::default(), secure);
    match key {
        "sessionToken" => Some(names.session_token),
        "callbackUrl" => Some(names.callback_url),
        "csrfToken" => Some(names.csrf_token),
        // Of the flows with other servers and with passkeys, which are not here.
        "pkceCodeVerifier" | "state" | "nonce" | "webauthnChallenge" => None,
        _ => panic!("{}: what is {key}?", vector.id()),
    }
}

/// Name and value, and the attributes in an order of their own: a browser does not look at theirs.
fn parts(line: &str) -> (String, Vec<String>) {
    let mut parts = line.split("; ").map(str::to_owned);
    let pair = parts.next().unwrap();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (pair, attributes)
}

fn line(cookie: &SetCookie) -> &str {
    cookie.header.to_str().unwrap()
}

#[test]
fn s1_names_and_attributes() {
    let mut seen = 0;
    for vector in Vectors::load("cookie_defaults").iter().filter(|vector| vector.has("key")) {
        let secure = vector.get("secure").as_bool().unwrap();
        let Some(spec) = spec(vector, secure, vector.str("key")) else { continue };
        seen += 1;
        assert_eq!(spec.name, vector.str("name"), "{}", vector.id());
        let value = vector.str("set_cookie").split(['=', ';']).nth(1).unwrap();
        let (now, expires) = (vector.i64("now"), vector.i64("expires_epoch"));
        for (cookie, recorded) in [
            (spec.set(value), "set_cookie"),
            (spec.set_until(&spec.name, value, Timestamp::from_secs(expires)), "set_cookie_with_expires"),
            (spec.remove(&spec.name, Timestamp::from_secs(now)), "clear_cookie"),
        ] {
            assert_eq!(parts(line(&cookie)), parts(vector.str(recorded)), "{} {recorded}", vector.id());
        }
    }
    assert_eq!(seen, 36);
}

#[test]
fn values_are_encoded() {
    for vector in Vectors::load("cookie_defaults").iter().filter(|vector| vector.has("value")) {
        for dialect in Dialect::ALL {
            let names = CookieNames::new(dialect.rules(), &CookiePolicy::default(), true);
            let set = names.callback_url.set(vector.str("value"));
            let (pair, _) = parts(line(&set));
            let expected = format!("{}={}", names.callback_url.name, vector.str(&dialect.to_string()));
            assert_eq!(pair, expected, "{}", vector.id());
        }
    }
}

#[test]
fn headers_are_parsed() {
    for vector in Vectors::load("cookie_defaults").iter().filter(|vector| vector.has("header")) {
        let value = HeaderValue::try_from(vector.str("header")).unwrap();
        let headers: HeaderMap = [(COOKIE, value)].into_iter().collect();
        // v5 keeps quotation marks. No cookie of ours has any, so they are taken off as in v4.
        for (name, value) in vector.get("v4").as_object().unwrap() {
            assert_eq!(
                CookieHeaders::of(&headers).find(name).as_deref(),
                value.as_str(),
                "{} {name}",
                vector.id()
            );
        }
    }
}

/// What the packages write for a token of any length, whatever the request had.
#[test]
fn s4_chunks() {
    let mut seen = 0;
    for vector in Vectors::load("cookie_chunking").iter().filter(|vector| vector.str("op") == "chunk") {
        let name = vector.str("base_name");
        let spec = spec(vector, name.starts_with("__Secure-"), "sessionToken").unwrap();
        assert_eq!(spec.name, name, "{}", vector.id());
        let present = vector.get("request_cookies").as_object().unwrap().keys();
        // The scanner in front of this passes on session cookies only.
        let present = present.filter(|key| key.starts_with(name)).cloned();
        let size = dialect(vector).rules().chunk_size;
        if vector.has("chunk_size") {
            assert_eq!(size.map(|size| size as i64), Some(vector.i64("chunk_size")), "{}", vector.id());
        }
        let token = token(vector);
        let written =
            write_session(&spec, size, &token, present, Timestamp::from_secs(2), Timestamp::from_secs(1));
        let recorded = vector.get("set").as_array().unwrap();
        assert_eq!(written.len(), recorded.len(), "{}", vector.id());
        for (cookie, recorded) in written.iter().zip(recorded) {
            compare(vector.id(), line(cookie), recorded);
        }
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

/// `repeat:TEXT` stands for the text again and again.
fn token(vector: &Vector) -> String {
    let text = vector.str("value_seed").strip_prefix("repeat:").unwrap();
    text.chars().cycle().take(vector.i64("value_length") as usize).collect()
}

fn compare(id: &str, line: &str, recorded: &Value) {
    let (pair, attributes) = parts(line);
    let (name, value) = pair.split_once('=').unwrap();
    assert_eq!(name, recorded["name"], "{id}");
    match recorded["value"].as_str() {
        Some(whole) => assert_eq!(value, whole, "{id} {name}"),
        None => {
            assert_eq!(value.len() as u64, recorded["length"], "{id} {name}");
            assert!(value.starts_with(recorded["head"].as_str().unwrap()), "{id} {name}");
            assert!(value.ends_with(recorded["tail"].as_str().unwrap()), "{id} {name}");
        }
    }
    let removed = attributes.iter().any(|attribute| attribute == "Max-Age=0");
    assert_eq!(removed, recorded["max_age"] == 0, "{id} {name}");
}
