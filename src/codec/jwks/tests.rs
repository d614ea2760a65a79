//! Which keys of a set verify which tokens, with the keys of `tests/keys`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    codec::{
        Jws, JwsKeys,
        compact::encode,
        jws::JwsAlgorithm::{ES256, ES384, EdDSA, HS256, PS256, PS384, RS256, RS512},
    },
    secret::Secret,
};

pub(super) const CLAIMS: &[u8] = br#"{"sub":"1","exp":1771070400}"#;
const SET: &str = include_str!("../../../tests/keys/jwks.json");
const ALL: [JwsAlgorithm; 9] =
    [RS256, JwsAlgorithm::RS384, RS512, PS256, PS384, JwsAlgorithm::PS512, ES256, ES384, EdDSA];

/// The name of the key for an algorithm, and its two texts.
fn pair(algorithm: JwsAlgorithm) -> (&'static str, &'static str, &'static str) {
    macro_rules! pair {
        ($kid:literal) => {
            (
                $kid,
                include_str!(concat!("../../../tests/keys/test-", $kid, ".private.pem")),
                include_str!(concat!("../../../tests/keys/test-", $kid, ".public.pem")),
            )
        };
    }
    match algorithm.family() {
        Family::Rsa => pair!("rsa"),
        Family::P256 => pair!("p256"),
        Family::P384 => pair!("p384"),
        Family::Ed25519 => pair!("ed25519"),
        Family::Secret => panic!("{algorithm:?} has no key pair"),
    }
}

fn signer(algorithm: JwsAlgorithm) -> Jws {
    let (_, private, public) = pair(algorithm);
    Jws::new(algorithm, JwsKeys::pem(algorithm, private.as_bytes(), public.as_bytes()).unwrap()).unwrap()
}

/// A token with any header, signed by `jws`.
fn signed_by(jws: &Jws, header: &str) -> String {
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(CLAIMS));
    let signature = jws.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(&signature))
}

/// A token that says which key and algorithm it was made with, truthfully.
pub(super) fn token(algorithm: JwsAlgorithm, kid: &str) -> String {
    signed_by(&signer(algorithm), &json!({ "alg": algorithm.name(), "typ": "JWT", "kid": kid }).to_string())
}

/// The public key for an algorithm, with members added, replaced, or (null) taken away.
pub(super) fn jwk(algorithm: JwsAlgorithm, change: Value) -> Value {
    let set: Value = serde_json::from_str(SET).unwrap();
    let kid = pair(algorithm).0;
    let mut key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => key.as_object_mut().unwrap().shift_remove(name),
            value => key.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    key
}

pub(super) fn set_of(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn read(keys: &[Value], algorithms: &[JwsAlgorithm]) -> JwkSet {
    JwkSet::from_json(&set_of(keys), algorithms.iter().copied()).unwrap()
}

fn error_of(json: &str) -> String {
    JwkSet::from_json(json, ALL).unwrap_err().to_string()
}

#[test]
fn each_algorithm_verifies_with_its_key() {
    let set = JwkSet::from_json(SET, ALL).unwrap();
    for algorithm in ALL {
        let opened = set.decode(&token(algorithm, pair(algorithm).0)).unwrap();
        assert_eq!((&*opened.claims, opened.outdated_key), (CLAIMS, false), "{algorithm:?}");
    }
    assert_eq!(set.encode(CLAIMS).unwrap_err(), CodecError::unavailable());
    assert_eq!(format!("{set:?}"), "JwkSet(4 keys)");
}

/// S35: which algorithms are taken is configured; neither the token nor the set adds one.
#[test]
fn s35_only_configured_algorithms() {
    for configured in ALL {
        let set = JwkSet::from_json(SET, [configured]).unwrap();
        for made in ALL {
            let opened = set.decode(&token(made, pair(made).0));
            assert_eq!(opened.is_ok(), made == configured, "{made:?} where {configured:?} is configured");
            if let Err(error) = opened {
                assert_eq!(error, CodecError::new(Kind::Header), "{made:?} at {configured:?}");
            }
        }
    }
}

/// S35: a token is read by the key that it names, even where another key has signed it.
#[test]
fn s35_the_named_key_and_no_other() {
    let set = JwkSet::from_json(SET, ALL).unwrap();
    for made in ALL {
        for named in ["rsa", "p256", "p384", "ed25519", "", "RSA", "other"] {
            let error = match set.decode(&token(made, named)) {
                Ok(_) => {
                    assert_eq!(named, pair(made).0, "{made:?}");
                    continue;
                }
                Err(error) => error,
            };
            let known = ["rsa", "p256", "p384", "ed25519"].contains(&named);
            let expected = if known { Kind::Header } else { Kind::UnknownKey };
            assert_eq!(error, CodecError::new(expected), "{made:?} naming {named}");
        }
    }
    // Two keys of one kind: the name decides.
    let other = jwk(EdDSA, json!({ "kid": "other", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }));
    let set = read(&[jwk(EdDSA, json!({})), other], &[EdDSA]);
    assert!(set.decode(&token(EdDSA, "ed25519")).is_ok());
    assert_eq!(set.decode(&token(EdDSA, "other")).unwrap_err(), CodecError::refused());
}

/// S35: RFC 8725 section 2.1, public keys taken for shared secrets; and tokens without a signature.
#[test]
fn s35_public_keys_are_no_secrets() {
    let set = JwkSet::from_json(SET, ALL).unwrap();
    for algorithm in ALL {
        let (kid, _, pem) = pair(algorithm);
        let key = jwk(algorithm, json!({}));
        let numbers = ["n", "x"].iter().find_map(|name| key[name].as_str()).unwrap();
        for secret in
            [pem.as_bytes().to_vec(), numbers.as_bytes().to_vec(), compact::decode(numbers).unwrap()]
        {
            let forger = Jws::new(HS256, JwsKeys::secret(&Secret::new_unchecked(secret))).unwrap();
            for alg in ["HS256", algorithm.name()] {
                let header = json!({ "alg": alg, "kid": kid }).to_string();
                let error = set.decode(&signed_by(&forger, &header)).unwrap_err();
                let expected = if alg == "HS256" { Kind::Header } else { Kind::Authentication };
                assert_eq!(error, CodecError::new(expected), "{alg} with the key for {algorithm:?}");
            }
        }
        for alg in ["none", "None", "", "ES512", &algorithm.name().to_lowercase()] {
            let header = encode(json!({ "alg": alg, "kid": kid }).to_string().as_bytes());
            let error = set.decode(&format!("{header}.{}.", encode(CLAIMS))).unwrap_err();
            assert_eq!(error, CodecError::new(Kind::Header), "{alg}");
        }
        let header = encode(json!({ "alg": algorithm.name(), "kid": kid }).to_string().as_bytes());
        assert!(set.decode(&format!("{header}.{}.", encode(CLAIMS))).is_err(), "{algorithm:?}, no signature");
    }
}

/// S35: members of the header that bring keys, or change what the token means, are refused; others are ignored.
#[test]
fn s35_keys_in_the_header_are_refused() {
    let set = JwkSet::from_json(SET, ALL).unwrap();
    let jws = signer(EdDSA);
    let with = |member: &str| signed_by(&jws, &format!(r#"{{"alg":"EdDSA","kid":"ed25519",{member}}}"#));
    for member in [
        r#""jwk":{"kty":"OKP"}"#,
        r#""jku":"https://evil.example""#,
        r#""x5u":"https://evil.example""#,
        r#""x5c":["AAAA"]"#,
        r#""crit":["b64"],"b64":false"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""b64":true"#,
        r#""zip":"DEF""#,
        r#""enc":"A256GCM""#,
        r#""alg":"EdDSA""#,
        r#""kid":"ed25519""#,
    ] {
        let error = set.decode(&with(member)).unwrap_err();
        assert_eq!(error, CodecError::new(Kind::Header), "{member}");
    }
    for member in [r#""typ":"at+jwt""#, r#""x5t":"AAAA""#, r#""cat":"cl_1""#, r#""cty":"JWT""#] {
        assert!(set.decode(&with(member)).is_ok(), "{member}");
    }
}

/// A token that names no key is read if exactly one key fits.
#[test]
fn tokens_without_a_name() {
    let unnamed = |algorithm| signer(algorithm).encode(CLAIMS).unwrap();
    let set = JwkSet::from_json(SET, ALL).unwrap();
    for algorithm in ALL {
        assert!(set.decode(&unnamed(algorithm)).is_ok(), "{algorithm:?}");
    }
    let second = jwk(EdDSA, json!({ "kid": "other" }));
    let two = read(&[jwk(EdDSA, json!({})), second, jwk(ES256, json!({}))], &ALL);
    assert_eq!(two.decode(&unnamed(EdDSA)).unwrap_err(), CodecError::new(Kind::Key));
    assert!(two.decode(&unnamed(ES256)).is_ok());
    assert!(two.decode(&unnamed(RS256)).unwrap_err().is_unknown_key());
    // Nor has the key to have a name; a token that names one does not mean it, though.
    let nameless = read(&[jwk(EdDSA, json!({ "kid": null }))], &ALL);
    assert!(nameless.decode(&unnamed(EdDSA)).is_ok());
    assert!(nameless.decode(&token(EdDSA, "ed25519")).unwrap_err().is_unknown_key());
}

/// S35: a key is used for what it says it is for.
#[test]
fn s35_what_a_key_says_of_itself() {
    for (algorithm, change, verifies) in [
        (RS256, json!({ "alg": "RS256", "use": "sig", "key_ops": ["verify"] }), true),
        (RS256, json!({ "alg": "RS512" }), false),
        (PS256, json!({ "alg": "RS256" }), false),
        (RS256, json!({ "alg": "PS256" }), false),
        (PS256, json!({ "alg": "PS256" }), true),
        (RS256, json!({ "alg": "RSA-OAEP-256" }), false),
        (RS256, json!({ "alg": "HS256" }), false),
        (RS256, json!({ "alg": "none" }), false),
        (RS256, json!({ "use": "enc" }), false),
        (RS256, json!({ "use": "" }), false),
        (RS256, json!({ "key_ops": ["sign", "verify"] }), true),
        (RS256, json!({ "key_ops": ["encrypt"] }), false),
        (RS256, json!({ "key_ops": [] }), false),
        (RS256, json!({ "kty": "EC" }), false),
        (RS256, json!({ "kty": "oct" }), false),
        (RS256, json!({ "kty": "rsa" }), false),
        (RS256, json!({ "kty": null }), false),
        (RS256, json!({ "n": null }), false),
        (RS256, json!({ "e": null }), false),
        (RS256, json!({ "n": "AQAB" }), false),
        (RS256, json!({ "n": "" }), false),
        (RS256, json!({ "n": 7 }), false),
        (RS256, json!({ "n": "%%%" }), false),
        (RS256, json!({ "e": "AQ" }), false),
        (RS256, json!({ "e": "AgAA" }), false),
        (RS256, json!({ "e": "AQAAAAE" }), false),
        (RS256, json!({ "e": "AAEAAQ" }), true),
        (RS256, json!({ "d": "AAAA" }), false),
        (RS256, json!({ "p": "AAAA", "q": "AAAA" }), false),
        (RS256, json!({ "x5c": ["AAAA"], "x5t": "AAAA", "nbf": 1, "more": {} }), true),
        (ES256, json!({ "alg": "ES256", "use": "sig" }), true),
        (ES256, json!({ "alg": "ES384" }), false),
        (ES256, json!({ "crv": "P-384" }), false),
        (ES256, json!({ "crv": "secp256k1" }), false),
        (ES256, json!({ "crv": null }), false),
        (ES256, json!({ "y": null }), false),
        (ES256, json!({ "y": "AAAA" }), false),
        (ES256, json!({ "y": "vKfHmblDF3MS3tTsfBxqygtD8a0QCFiFxJe_AmCVX2k" }), false),
        (ES256, json!({ "d": "AAAA" }), false),
        (ES384, json!({ "crv": "P-256" }), false),
        (EdDSA, json!({ "alg": "EdDSA" }), true),
        (EdDSA, json!({ "alg": "ES256" }), false),
        (EdDSA, json!({ "crv": "X25519" }), false),
        (EdDSA, json!({ "crv": "Ed448" }), false),
        (EdDSA, json!({ "x": "AAAA" }), false),
        (EdDSA, json!({ "kid": 7 }), false),
        (EdDSA, json!({ "k": "AAAA" }), false),
    ] {
        // Beside a key that is good, so that there is a set.
        let beside = if algorithm == ES384 { EdDSA } else { ES384 };
        let set = read(&[jwk(beside, json!({ "kid": "beside" })), jwk(algorithm, change.clone())], &ALL);
        let opened = set.decode(&token(algorithm, pair(algorithm).0));
        assert_eq!(opened.is_ok(), verifies, "{algorithm:?} {change}: {opened:?}");
        assert!(set.decode(&token(beside, "beside")).is_ok(), "{algorithm:?} {change}");
    }
}

/// A shared secret in a set is none that anybody may use.
#[test]
fn s35_shared_secrets_of_a_set_are_not_used() {
    let secret = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";
    let oct = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": encode(secret.as_bytes()) });
    let set = read(&[oct.clone(), jwk(EdDSA, json!({}))], &ALL);
    let jws = Jws::new(HS256, JwsKeys::secret(&Secret::new(secret))).unwrap();
    let error = set.decode(&signed_by(&jws, r#"{"alg":"HS256","kid":"s"}"#)).unwrap_err();
    assert_eq!(error, CodecError::new(Kind::Header));
    assert!(error_of(&set_of(&[oct])).contains("private members"));
    let error = JwkSet::from_json(SET, [HS256, RS256]).unwrap_err().to_string();
    assert!(error.contains("HS256 takes a shared secret") && error.contains("JwsKeys::secret"), "{error}");
}

/// Two keys of one name: nobody can say which is meant, unless their algorithms tell.
#[test]
fn keys_of_one_name() {
    let named = |algorithm, alg: &str| jwk(algorithm, json!({ "kid": "a", "alg": alg }));
    let set = read(&[named(RS256, "RS256"), named(PS256, "PS256"), named(ES256, "ES256")], &ALL);
    for algorithm in [RS256, PS256, ES256] {
        assert!(set.decode(&token(algorithm, "a")).is_ok(), "{algorithm:?}");
    }
    let twins = [jwk(RS256, json!({ "kid": "a" })), named(RS256, "RS256"), jwk(EdDSA, json!({}))];
    let set = read(&twins, &ALL);
    assert!(set.decode(&token(RS256, "a")).unwrap_err().is_unknown_key());
    assert!(set.decode(&token(EdDSA, "ed25519")).is_ok());
    assert!(error_of(&set_of(&twins[..2])).contains("the kid of another key"));
}

/// S39, S96: what is no set, and sets without end.
#[test]
fn s39_sets_are_bounded() {
    for (json, problem) in [
        ("", "is no key set"),
        ("[]", "is no key set"),
        ("null", "is no key set"),
        ("<html></html>", "is no key set"),
        ("{}", "missing field `keys`"),
        (r#"{"keys":null}"#, "is no key set"),
        (r#"{"keys":{}}"#, "is no key set"),
        (r#"{"keys":[]} x"#, "is no key set"),
        (r#"{"keys":[],"keys":[]}"#, "duplicate field"),
        (r#"{"keys":[]}"#, "has no keys"),
        (r#"{"keys":[7,"x",null,[],{}]}"#, "key number 1 is no JSON Web Key"),
        (r#"{"keys":[["RSA",null]]}"#, "key number 1 is no JSON Web Key"),
    ] {
        let error = error_of(json);
        assert!(error.contains(problem), "{json}: {error}");
    }
    let many = |count| set_of(&vec![jwk(EdDSA, json!({ "kid": null })); count]);
    assert!(JwkSet::from_json(&many(MAX_KEYS), ALL).is_ok());
    assert!(error_of(&many(MAX_KEYS + 1)).contains("101 keys, at most 100"));
    let long = |length: usize| format!("{}{}", SET, " ".repeat(length - SET.len()));
    assert!(JwkSet::from_json(&long(MAX_SET_BYTES), ALL).is_ok());
    assert!(error_of(&long(MAX_SET_BYTES + 1)).contains("at most 1048576"));
    assert!(JwkSet::from_json(SET, []).unwrap_err().to_string().contains("list of algorithms"));
    let deep = format!(r#"{{"keys":[{}{}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(JwkSet::from_json(&deep, ALL).is_err());
}

/// The operator is told of each reason once.
#[test]
fn the_reasons_are_told() {
    let json = set_of(&[
        jwk(RS256, json!({ "use": "enc" })),
        jwk(RS256, json!({ "use": "enc" })),
        jwk(ES256, json!({ "crv": "P-521" })),
        jwk(EdDSA, json!({ "x": "AAAA" })),
        jwk(ES384, json!({})),
    ]);
    let error = JwkSet::from_json(&json, [EdDSA]).unwrap_err().to_string();
    for part in [
        "key number 1 is not for verifying",
        "key number 3 is of a kind or curve",
        "key number 4 has numbers of the wrong size",
        "key number 5 is for an algorithm that is not configured",
        "list the algorithms",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("number 2"), "{error}");
}

/// S10: each byte of a token counts.
#[test]
fn s10_every_flipped_byte_is_refused() {
    let set = JwkSet::from_json(SET, ALL).unwrap();
    for algorithm in [RS256, PS256, ES256, EdDSA] {
        let token = token(algorithm, pair(algorithm).0);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1;
            let flipped = String::from_utf8(bytes).unwrap();
            assert!(set.decode(&flipped).is_err(), "{algorithm:?}: {flipped}");
        }
    }
}

/// JSON that is nearly a key set.
fn near_json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[A-Za-z0-9_=+/-]{0,90}",
        prop::sample::select(vec![
            "RSA", "EC", "OKP", "oct", "P-256", "P-384", "Ed25519", "sig", "enc", "verify", "RS256", "EdDSA",
            "AQAB", "AA"
        ])
        .prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        6 => text.prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => prop::collection::vec("[a-z]{0,8}", 0..3).prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "kty", "kty", "crv", "n", "e", "x", "y", "kid", "alg", "use", "key_ops", "d", "k", "other",
    ]);
    let key = prop::collection::vec((name, value), 0..9);
    prop::collection::vec(key, 0..5).prop_map(|keys| {
        let keys: Vec<_> = keys
            .into_iter()
            .map(|key| {
                // Not through a map: members may be there twice.
                let members: Vec<_> = key.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            })
            .collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,300}", near in near_json(), cut in any::<prop::sample::Index>()) {
        let _ = JwkSet::from_json(&text, ALL);
        let _ = JwkSet::from_json(&near[..cut.index(near.len())], ALL);
        if let Ok(set) = JwkSet::from_json(&near, ALL) {
            prop_assert!(set.decode(&token(EdDSA, "ed25519")).is_err());
        }
        let _ = JwkSet::from_json(&SET.replacen("\"kty\"", &text, 1), ALL);
        prop_assert!(JwkSet::from_json(SET, ALL).unwrap().decode(&text).is_err());
    }
}
