//! Every token that the npm packages made or read (`tests/vectors/jwt_*.json`), against our codecs.

use std::{collections::BTreeSet, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Codec, JweCbc, JweGcm, JwsHs512};
use crate::{
    clock::Timestamp,
    dialect::Dialect,
    secret::Secret,
    session::{Claims, Registered, lifetime},
    testing::{Vector, Vectors},
};

/// Where we answer otherwise than the package, and why. The list is complete: an entry that no vector needs
/// fails the test too.
const DEVIATIONS: &[(Dialect, &str, Answer, &str)] = &[
    (Dialect::V4, "reject/trailing_space", Answer::Refused, LENIENT),
    (Dialect::V4, "reject/padding_equals", Answer::Refused, LENIENT),
    (Dialect::V4, "foreign/header_zip_def", Answer::Refused, "what was not decrypted yet is not inflated"),
    (Dialect::V4, "foreign/enc_a128cbc_hs256", Answer::Refused, ONE_ALGORITHM),
    (Dialect::V4, "foreign/alg_a256kw", Answer::Refused, ONE_ALGORITHM),
    (Dialect::V3, "reject_or_foreign/encrypted_read_as_signed", Answer::Read, ONE_READER),
    (Dialect::V3, "reject_or_foreign/signed_read_as_encrypted", Answer::Read, ONE_READER),
];
const LENIENT: &str = "its base64url reader skips what is not in the alphabet; one token has one text here";
const ONE_ALGORITHM: &str = "the package pins no algorithm and never writes this one (RFC 8725 section 3.1)";
const ONE_READER: &str =
    "one reader for both settings of `encryption`, which a site may change while it runs";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Read,
    Refused,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    written: usize,
    read: usize,
    secrets: usize,
}

#[test]
fn v3() {
    assert_eq!(check("jwt_v3", Dialect::V3), Count { written: 36, read: 112, secrets: 4 });
}

#[test]
fn v4() {
    assert_eq!(check("jwt_v4", Dialect::V4), Count { written: 64, read: 240, secrets: 6 });
}

#[test]
fn v5() {
    assert_eq!(check("jwt_v5", Dialect::V5), Count { written: 126, read: 214, secrets: 6 });
}

fn check(file: &str, dialect: Dialect) -> Count {
    let vectors = Vectors::load(file);
    let mut count = Count::default();
    let mut deviated = BTreeSet::new();
    for vector in vectors.iter() {
        match (vector.str("op"), vector.has("encode")) {
            ("encode", true) => {
                judges_the_secret(dialect, vector);
                count.secrets += 1;
                continue;
            }
            ("encode", false) => {
                writes_the_same(dialect, vector);
                count.written += 1;
            }
            ("decode", false) => {}
            other => panic!("{}: {other:?}", vector.id()),
        }
        let codec = reader(dialect, vector, &vectors);
        deviated.extend(reads_the_same(dialect, vector, codec.as_deref()));
        count.read += 1;
    }
    let listed = DEVIATIONS.iter().filter(|(of, ..)| *of == dialect).map(|(_, case, ..)| *case);
    assert_eq!(deviated, listed.collect(), "the list of deviations is not what happens");
    count
}

/// The recorded secret; nothing where the package was given none.
fn secret(vector: &Vector) -> Option<Secret> {
    if vector.has("secret_hex") {
        return Some(Secret::new_unchecked(vector.bytes("secret_hex")));
    }
    match vector.get("secret") {
        Value::String(text) if text == "<undefined>" => None,
        Value::String(text) => Some(Secret::new_unchecked(text)),
        Value::Array(list) => {
            let mut texts = list.iter().map(|text| text.as_str().unwrap());
            let first = Secret::new_unchecked(texts.next()?);
            Some(texts.fold(first, Secret::or_previous))
        }
        Value::Null => None,
        other => panic!("{}: {other}", vector.id()),
    }
}

/// The package fails at its first token, or, in v3, takes an empty secret. Here no such application starts.
fn judges_the_secret(dialect: Dialect, vector: &Vector) {
    let empty_is_fine = dialect == Dialect::V3 && vector.str("case") == "secret/empty";
    let recorded = if empty_is_fine { "ok" } else { "error" };
    assert_eq!(vector.get("encode")["result"], recorded, "{}", vector.id());
    match secret(vector) {
        Some(secret) => assert!(!secret.problems().is_empty(), "{}", vector.id()),
        None => assert!(Secret::from_variables(|_| None).is_err()),
    }
}

fn writes_the_same(dialect: Dialect, vector: &Vector) {
    let id = vector.id();
    let token = vector.str("token");
    let plaintext = plaintext(vector);
    if vector.has("input_claims_json") {
        keeps_the_order(dialect, vector, plaintext.clone().unwrap());
    }
    match dialect.rules().name {
        "v3" => {
            let Some(plaintext) = plaintext else { return }; // made with encryption and keys of its own: read only
            let signed = vector.opt_str("inner_jws").unwrap_or(token);
            assert_eq!(JwsHs512::new_for(vector).encode(&plaintext).unwrap(), signed, "{id}");
        }
        "v4" => {
            let codec = JweGcm::new(&secret(vector).unwrap(), vector.str("salt"));
            let iv = vector.bytes("iv_hex").try_into().unwrap();
            assert_eq!(codec.seal(&iv, &plaintext.unwrap()).unwrap(), token, "{id}");
        }
        _ => {
            let codec = JweCbc::new(&secret(vector).unwrap(), vector.str("salt"));
            let iv = vector.bytes("iv_hex").try_into().unwrap();
            assert_eq!(codec.seal(&iv, &plaintext.unwrap()).unwrap(), token, "{id}");
        }
    }
}

/// The JSON text that was encrypted or signed.
fn plaintext(vector: &Vector) -> Option<Vec<u8>> {
    if vector.has("plaintext_hex") {
        return Some(vector.bytes("plaintext_hex"));
    }
    let inner = vector.get("inner")["payload"].as_str();
    let text = vector.opt_str("plaintext").or(vector.opt_str("payload")).or(inner);
    text.map(|text| text.as_bytes().to_vec())
}

/// Times and id are appended or keep the place that they had. Half a surrogate pair is the one thing that we
/// do not write as the package does: it becomes U+FFFD.
fn keeps_the_order(dialect: Dialect, vector: &Vector, mut plaintext: Vec<u8>) {
    let mut input = vector.str("input_claims_json").as_bytes().to_vec();
    Registered::parse(&mut input).unwrap();
    Registered::parse(&mut plaintext).unwrap();
    let expected = String::from_utf8(plaintext).unwrap().replace(r"\ufffd", "\u{fffd}");

    let mut claims = Claims::from_json(&input).unwrap();
    let now = vector.i64("now");
    claims.insert("iat", now);
    claims.insert("exp", now + vector.get("max_age").as_i64().unwrap_or(30 * 24 * 60 * 60));
    if dialect.rules().token_id {
        claims.insert("jti", vector.get("decode")["claims"]["jti"].clone());
    }
    assert_eq!(String::from_utf8(claims.to_json()).unwrap(), expected, "{}", vector.id());
}

impl JwsHs512 {
    /// With the keys of a vector: derived, or a JWK of its own.
    fn new_for(vector: &Vector) -> Self {
        if !vector.has("signing_key_jwk") {
            return Self::new(&secret(vector).unwrap());
        }
        let signing = jwk(vector, "signing_key_jwk");
        let encryption = match vector.has("encryption_key_jwk") {
            true => jwk(vector, "encryption_key_jwk").try_into().unwrap(),
            false => [0; 32],
        };
        Self::with_keys(&signing, &signing, &encryption)
    }
}

fn jwk(vector: &Vector, key: &str) -> Vec<u8> {
    let text = vector.get(key).as_str().map(str::to_owned).unwrap_or_else(|| vector.get(key).to_string());
    let jwk: Value = serde_json::from_str(&text).unwrap();
    URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap()).unwrap()
}

/// The codec that the package's call amounts to; none without a secret.
fn reader(dialect: Dialect, vector: &Vector, all: &Vectors) -> Option<Box<dyn Codec>> {
    match dialect.rules().name {
        "v3" if vector.str("case") == "jwk/verification_key_differs" => {
            // The keys are those of the vector that made the token, but for the one that verifies.
            let made = all
                .iter()
                .find(|made| made.has("signing_key_jwk") && made.opt_str("token") == vector.opt_str("token"));
            Some(Box::new(JwsHs512::with_keys(&jwk(made.unwrap(), "signing_key_jwk"), &[1; 64], &[0; 32])))
        }
        "v3" => Some(Box::new(JwsHs512::new_for(vector))),
        "v4" => Some(Box::new(JweGcm::new(&secret(vector)?, vector.str("salt")))),
        _ => Some(Box::new(JweCbc::new(&secret(vector)?, vector.str("salt")))),
    }
}

/// Answers with the case, if it is one of the deviations.
fn reads_the_same<'v>(dialect: Dialect, vector: &'v Vector, codec: Option<&dyn Codec>) -> Option<&'v str> {
    let max_age = vector.get("decode_max_age").as_u64().unwrap_or(30 * 24 * 60 * 60);
    let now = Timestamp::from_secs(vector.i64("decode_now"));
    // An absent token is none that could be given to a codec; the package's answer to it is null, too.
    let token = vector.opt_str("token").unwrap_or_default();
    let read = codec.and_then(|codec| read(dialect, codec, token, Duration::from_secs(max_age), now));

    let recorded = vector.get("decode");
    let expected = match recorded["result"].as_str() {
        Some("claims") => Some(recorded["claims"].clone()),
        Some("null" | "error") => None,
        other => panic!("{}: {other:?}", vector.id()),
    };
    let case = vector.str("case");
    let Some((.., answer, _)) = DEVIATIONS.iter().find(|(of, name, ..)| *of == dialect && *name == case)
    else {
        assert_eq!(read, expected, "{}", vector.id());
        return None;
    };
    assert_eq!(read.is_some(), *answer == Answer::Read, "{}", vector.id());
    assert_eq!(expected.is_some(), *answer == Answer::Refused, "{}", vector.id());
    Some(case)
}

fn read(
    dialect: Dialect,
    codec: &dyn Codec,
    token: &str,
    max_age: Duration,
    now: Timestamp,
) -> Option<Value> {
    let mut opened = codec.decode(token).ok()?;
    let registered = Registered::parse(&mut opened.claims)?;
    lifetime::is_current(&registered, dialect.rules(), max_age, now)
        .then(|| serde_json::from_slice(&opened.claims).unwrap())
}
