//! Signed tokens with the keys of `tests/keys`, whichever backend is switched on.

use super::*;

const RSA: Pair = Pair(
    include_str!("../../../tests/keys/test-rsa.private.pem"),
    include_str!("../../../tests/keys/test-rsa.public.pem"),
);
const P256: Pair = Pair(
    include_str!("../../../tests/keys/test-p256.private.pem"),
    include_str!("../../../tests/keys/test-p256.public.pem"),
);
const P384: Pair = Pair(
    include_str!("../../../tests/keys/test-p384.private.pem"),
    include_str!("../../../tests/keys/test-p384.public.pem"),
);
const ED25519: Pair = Pair(
    include_str!("../../../tests/keys/test-ed25519.private.pem"),
    include_str!("../../../tests/keys/test-ed25519.public.pem"),
);

/// As long as the longest hash.
const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1PWq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Po";
const CLAIMS: &[u8] = br#"{"sub":"1","exp":1771070400}"#;

/// Private and public key.
struct Pair(&'static str, &'static str);

use JwsAlgorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};

const ALL: [JwsAlgorithm; 12] =
    [HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA];

fn pair(algorithm: JwsAlgorithm) -> Option<Pair> {
    match algorithm {
        HS256 | HS384 | HS512 => None,
        RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => Some(RSA),
        ES256 => Some(P256),
        ES384 => Some(P384),
        EdDSA => Some(ED25519),
    }
}

fn keys(algorithm: JwsAlgorithm) -> JwsKeys {
    match pair(algorithm) {
        None => JwsKeys::secret(&Secret::new(SECRET)),
        Some(Pair(private, public)) => {
            JwsKeys::pem(algorithm, private.as_bytes(), public.as_bytes()).unwrap()
        }
    }
}

fn codec(algorithm: JwsAlgorithm) -> Jws {
    Jws::new(algorithm, keys(algorithm)).unwrap()
}

/// A token with any header and signature.
fn token(header: &str, signature: &[u8]) -> String {
    [compact::encode(header.as_bytes()), compact::encode(CLAIMS), compact::encode(signature)].join(".")
}

#[test]
fn round_trips() {
    for algorithm in ALL {
        let codec = codec(algorithm);
        let token = codec.encode(CLAIMS).unwrap();
        let opened = codec.decode(&token).unwrap();
        assert_eq!((&*opened.claims, opened.outdated_key), (CLAIMS, false), "{algorithm:?}");
        let header: serde_json::Value =
            serde_json::from_slice(&compact::decode(token.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header, serde_json::json!({ "alg": format!("{algorithm:?}") }));
    }
}

/// The example of RFC 7515 appendix A.1, which no code of ours made. Its header has spaces and a `typ`.
#[test]
fn reads_the_token_of_the_rfc() {
    let key = compact::decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let codec = Jws::new(HS256, JwsKeys::secret(&Secret::new(key.unwrap()))).unwrap();
    let opened = codec
        .decode(concat!(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.",
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        ))
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&opened.claims).unwrap();
    assert_eq!(claims["iss"], "joe");
}

/// S8: a token of one algorithm opens at no other, not even of the same family and key.
#[test]
fn s08_one_algorithm_only() {
    for made in ALL {
        let token = codec(made).encode(CLAIMS).unwrap();
        for read in ALL {
            assert_eq!(codec(read).decode(&token).is_ok(), made == read, "{made:?} at {read:?}");
        }
    }
}

/// S8: RFC 8725 section 2.1, the public key taken for a shared secret.
#[test]
fn s08_the_public_key_is_no_secret() {
    for algorithm in ALL {
        let Some(Pair(_, public)) = pair(algorithm) else { continue };
        let forger = Jws::new(HS256, JwsKeys::secret(&Secret::new_unchecked(public))).unwrap();
        let codec = codec(algorithm);
        assert!(codec.decode(&forger.encode(CLAIMS).unwrap()).is_err(), "{algorithm:?}");
        // The same signature under a header that says what the reader expects.
        let signed = format!("{}.{}", codec.header, compact::encode(CLAIMS));
        let signature = forger.sign(signed.as_bytes()).unwrap();
        let error = codec.decode(&format!("{signed}.{}", compact::encode(&signature))).unwrap_err();
        assert_eq!(error, CodecError::new(Kind::Authentication), "{algorithm:?}");
    }
}

/// S8: `none`, critical, unknown and repeated members, the headers of other formats.
#[test]
fn s08_headers_that_are_not_on_the_list() {
    for algorithm in ALL {
        let codec = codec(algorithm);
        let name = algorithm.name();
        for header in [
            r#"{"alg":"none"}"#.to_owned(),
            r#"{"alg":"None"}"#.to_owned(),
            r#"{"alg":"ES512"}"#.to_owned(),
            r#"{"typ":"JWT"}"#.to_owned(),
            format!(r#"{{"alg":"{name}","crit":["b64"],"b64":false}}"#),
            format!(r#"{{"alg":"{name}","jku":"https://evil.example"}}"#),
            format!(r#"{{"alg":"{name}","jwk":{{"kty":"oct"}}}}"#),
            format!(r#"{{"alg":"{name}","alg":"{name}"}}"#),
            format!(r#"{{"alg":"none","alg":"{name}"}}"#),
            format!(r#"{{"alg":"{name}","zip":"DEF"}}"#),
            format!(r#"{{"alg":"{name}","enc":"A256GCM"}}"#),
            format!(r#"{{"alg":"{}"}}"#, name.to_lowercase()),
        ] {
            for signature in [&b""[..], &[0; 64]] {
                let error = codec.decode(&token(&header, signature)).unwrap_err();
                assert_eq!(error, CodecError::new(Kind::Header), "{name}: {header}");
            }
        }
        let empty = token(&format!(r#"{{"alg":"{name}"}}"#), b"");
        assert_eq!(codec.decode(&empty).unwrap_err(), CodecError::new(Kind::Authentication), "{name}");
    }
}

/// S10: each byte of a signed token counts.
#[test]
fn s10_every_flipped_byte_is_refused() {
    for algorithm in [HS256, RS256, PS256, ES256, EdDSA] {
        let codec = codec(algorithm);
        let token = codec.encode(CLAIMS).unwrap();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1;
            let flipped = String::from_utf8(bytes).unwrap();
            assert!(codec.decode(&flipped).is_err(), "{algorithm:?}: {flipped}");
        }
    }
}

#[test]
fn public_keys_read_and_do_not_write() {
    for algorithm in ALL {
        let Some(Pair(_, public)) = pair(algorithm) else { continue };
        let keys = JwsKeys::public_pem(algorithm, public.as_bytes()).unwrap();
        assert_eq!(format!("{keys:?}"), "JwsKeys(verify)");
        let reader = Jws::new(algorithm, keys).unwrap();
        let token = codec(algorithm).encode(CLAIMS).unwrap();
        assert_eq!(reader.decode(&token).unwrap().claims, CLAIMS, "{algorithm:?}");
        assert_eq!(reader.encode(CLAIMS).unwrap_err(), CodecError::unavailable(), "{algorithm:?}");
    }
}

/// S15: the present key signs, older ones are read and their tokens due for a new one.
#[test]
fn s15_older_keys_are_read() {
    let older = "Wq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0PoWq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Pof1Zq";
    let old = Jws::new(HS256, JwsKeys::secret(&Secret::new(older))).unwrap();
    let list = Jws::new(HS256, JwsKeys::secret(&Secret::new(SECRET).or_previous(older))).unwrap();
    assert!(list.decode(&old.encode(CLAIMS).unwrap()).unwrap().outdated_key);
    let token = list.encode(CLAIMS).unwrap();
    assert!(!codec(HS256).decode(&token).unwrap().outdated_key && old.decode(&token).is_err());

    // A public key of the RFC's (RFC 8037 appendix A.2) as the present one.
    let present = concat!(
        "-----BEGIN PUBLIC KEY-----\n",
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",
        "-----END PUBLIC KEY-----\n"
    );
    let present = JwsKeys::public_pem(EdDSA, present.as_bytes()).unwrap();
    let token = codec(EdDSA).encode(CLAIMS).unwrap();
    assert!(Jws::new(EdDSA, present.clone()).unwrap().decode(&token).is_err());
    let both = Jws::new(EdDSA, present.clone().or_previous(keys(EdDSA))).unwrap();
    assert!(both.decode(&token).unwrap().outdated_key);
    assert!(both.encode(CLAIMS).is_err(), "an older key does not sign");
    assert!(Jws::new(EdDSA, present.or_previous(keys(ES256))).is_err());
}

#[test]
fn keys_of_another_kind_are_refused_at_once() {
    for algorithm in ALL {
        for other in ALL {
            let same = match (pair(algorithm), pair(other)) {
                (None, None) => true,
                (Some(mine), Some(theirs)) => mine.0 == theirs.0,
                _ => false,
            };
            let jws = Jws::new(algorithm, keys(other));
            assert_eq!(jws.is_ok(), same, "{algorithm:?} with keys for {other:?}");
        }
    }
}

#[test]
fn only_pem_of_the_right_kind() {
    for algorithm in ALL {
        let Some(Pair(private, public)) = pair(algorithm) else {
            assert!(JwsKeys::public_pem(algorithm, RSA.1.as_bytes()).is_err(), "{algorithm:?}");
            continue;
        };
        for text in ["", "no PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert!(JwsKeys::public_pem(algorithm, text.as_bytes()).is_err(), "{algorithm:?}: {text}");
            assert!(JwsKeys::pem(algorithm, text.as_bytes(), public.as_bytes()).is_err(), "{algorithm:?}");
            assert!(JwsKeys::pem(algorithm, private.as_bytes(), text.as_bytes()).is_err(), "{algorithm:?}");
        }
    }
}
