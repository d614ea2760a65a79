//! Headers, sizes and bytes that nobody honest sends.

use miniz_oxide::deflate::compress_to_vec;

use super::{CLAIMS, SALT, SECRET, forge};
use crate::{
    codec::{Codec, CodecError, JweCbc, JweGcm, JwsHs512, MAX_TOKEN_BYTES, error::Kind},
    secret::Secret,
};

pub(super) const V3: &str = r#"{"alg":"HS512"}"#;
pub(super) const V3_ENCRYPTED: &str = r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#;
const V4: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;
const V5: &str = r#"{"alg":"dir","enc":"A256CBC-HS512"}"#;

/// One way to make a token.
pub(super) struct Format {
    pub(super) codec: Box<dyn Codec>,
    /// The plain header.
    pub(super) header: &'static str,
    /// Makes a token with any header, by the right key.
    pub(super) forge: fn(&str, &[u8]) -> String,
    /// What the token holds, so that it opens as [`CLAIMS`].
    pub(super) text: Vec<u8>,
}

pub(super) fn formats() -> [Format; 4] {
    let secret = Secret::new(SECRET);
    let v3 = || Box::new(JwsHs512::new(&secret));
    let (v4, v5) = (Box::new(JweGcm::new(&secret, "")), Box::new(JweCbc::new(&secret, SALT)));
    let deflated = compress_to_vec(forge::jws(V3, CLAIMS).as_bytes(), 6);
    [
        Format { codec: v3(), header: V3, forge: forge::jws, text: CLAIMS.to_vec() },
        Format { codec: v3(), header: V3_ENCRYPTED, forge: forge::gcm, text: deflated },
        Format { codec: v4, header: V4, forge: forge::gcm, text: CLAIMS.to_vec() },
        Format { codec: v5, header: V5, forge: forge::cbc, text: CLAIMS.to_vec() },
    ]
}

fn refused(kind: Kind) -> Result<(), CodecError> {
    Err(CodecError::new(kind))
}

/// The forge proves something only if what it makes is read when its header is a good one.
#[test]
fn forged_tokens_with_a_good_header_open() {
    for Format { codec, header, forge, text } in formats() {
        assert_eq!(codec.decode(&forge(header, &text)).unwrap().claims, CLAIMS, "{header}");
        let label = header.replace('}', r#","typ":"JWT"}"#);
        assert_eq!(codec.decode(&forge(&label, &text)).unwrap().claims, CLAIMS, "{label}");
    }
}

/// S8: the header is judged before any key is used, and only the one algorithm passes, though the tag is right.
#[test]
fn s08_headers_that_are_not_on_the_list() {
    let foreign = [
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2147483648,"p2s":"AAAA"}"#,
        r#"{"alg":"A256KW","enc":"A256GCM"}"#,
        r#"{"alg":"A256KW","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC"}}"#,
        r#"{"alg":"dir","enc":"A128CBC-HS256"}"#,
        r#"{"alg":"dir","enc":"A128GCM"}"#,
        r#"{"alg":"dir"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"NONE","enc":"A256GCM"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"hs512"}"#,
        r#"{"alg":["dir"],"enc":"A256GCM"}"#,
        r#"{"enc":"A256GCM"}"#,
        "{}",
        "[]",
        "null",
        "",
    ];
    for Format { codec, forge, text, .. } in formats() {
        for header in foreign {
            let answer = codec.decode(&forge(header, &text)).map(drop);
            assert_eq!(answer, refused(Kind::Header), "{codec:?} {header}");
        }
    }
}

/// S8: members that nobody knows, critical ones and repeated ones.
#[test]
fn s08_members_that_are_not_on_the_list() {
    for Format { codec, header, forge, text } in formats() {
        for member in [
            r#""crit":["exp"],"exp":1"#,
            r#""crit":[]"#,
            r#""b64":false"#,
            r#""p2c":2147483648"#,
            r#""jku":"https://evil.example/keys""#,
            r#""jwk":{"kty":"oct","k":"AAAA"}"#,
            r#""x5u":"https://evil.example/cert""#,
            r#""x":1"#,
            r#""alg":"dir""#,
            r#""alg":"HS512""#,
            r#""typ":"a","typ":"b""#,
            r#""kid":"a","kid":"b""#,
            r#""kid":7"#,
        ] {
            for forged in [
                header.replacen('{', &format!("{{{member},"), 1),
                header.replace('}', &format!(",{member}}}")),
            ] {
                let answer = codec.decode(&forge(&forged, &text)).map(drop);
                assert_eq!(answer, refused(Kind::Header), "{codec:?} {forged}");
            }
        }
    }
}

/// S8: with a key that wraps another one, the second part would not be empty.
#[test]
fn s08_no_encrypted_key() {
    for Format { codec, header, forge, text } in formats() {
        let token = forge(header, &text).replace("..", ".AAAA.");
        let answer = codec.decode(&token);
        assert_eq!(answer.is_ok(), header == V3, "{codec:?}"); // a JWS has no such part
    }
}

/// S9: nothing is inflated that v4 and v5 sealed.
#[test]
fn s09_no_compression() {
    for Format { codec, header, forge, .. } in
        formats().into_iter().filter(|format| !format.header.contains("zip"))
    {
        for zip in ["DEF", "def", ""] {
            let header = header.replace('}', &format!(r#","zip":"{zip}"}}"#));
            let answer = codec.decode(&forge(&header, &compress_to_vec(CLAIMS, 6))).map(drop);
            assert_eq!(answer, refused(Kind::Header), "{codec:?} {header}");
        }
    }
}

/// S9: v3's encrypted form is compressed by design; what comes out is bounded.
#[test]
fn s09_a_bomb_is_not_inflated() {
    let codec = JwsHs512::new(&Secret::new(SECRET));
    for size in [MAX_TOKEN_BYTES + 1, 64 * 1024 * 1024] {
        let bomb = compress_to_vec(&vec![b'A'; size], 9);
        let token = forge::gcm(V3_ENCRYPTED, &bomb);
        assert!(token.len() < MAX_TOKEN_BYTES, "the token itself is short enough to be looked at");
        assert_eq!(codec.decode(&token).map(drop), refused(Kind::TooLong), "{size}");
    }
}

/// S9: lengths are judged before base64. The texts are no base64 at all, and yet that is not what is said.
#[test]
fn s09_lengths_come_first() {
    for Format { codec, header, forge, text } in formats() {
        let parts = forge(header, &text).split('.').count();
        let long = vec!["%".repeat(1_000_000); parts].join(".");
        assert_eq!(codec.decode(&long).map(drop), refused(Kind::TooLong), "{codec:?}");

        let padded = header.replace('}', &format!(r#","typ":"{}"}}"#, "a".repeat(1024)));
        assert_eq!(codec.decode(&forge(&padded, &text)).map(drop), refused(Kind::Header), "{codec:?}");
        let mut garbage = vec!["AAAA"; parts];
        let wide = "%".repeat(1025);
        garbage[0] = &wide;
        assert_eq!(codec.decode(&garbage.join(".")).map(drop), refused(Kind::Header), "{codec:?}");
    }
}

/// S10: each byte of a token counts.
#[test]
fn s10_every_flipped_byte_is_refused() {
    for Format { codec, header, forge, text } in formats() {
        for token in [forge(header, &text), codec.encode(CLAIMS).unwrap()] {
            for flipped in flips(&token) {
                assert!(codec.decode(&flipped).is_err(), "{codec:?}: {flipped}");
            }
        }
    }
}

pub(super) fn flips(token: &str) -> impl Iterator<Item = String> {
    // The lowest bit keeps a header valid; the next ones go through more of the alphabet.
    (0..token.len()).flat_map(move |at| {
        [1, 2, 4].into_iter().filter_map(move |bit| {
            let mut bytes = token.as_bytes().to_vec();
            bytes[at] ^= bit;
            let text = String::from_utf8(bytes).ok()?;
            (text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';')).then_some(text)
        })
    })
}

/// S10: wrong padding under a right tag is told from a wrong tag by nothing.
#[test]
fn s10_padding_is_no_oracle() {
    let codec = JweCbc::new(&Secret::new(SECRET), SALT);
    for blocks in 0..4 {
        for fill in [0, 1, 16, 17, 255] {
            let token = forge::cbc_of_ciphertext(V5, &vec![fill; blocks * 16]);
            assert_eq!(codec.decode(&token).map(drop), refused(Kind::Authentication), "{blocks} {fill}");
        }
    }
    for odd in [1, 15, 17] {
        let token = forge::cbc_of_ciphertext(V5, &vec![0; odd]);
        assert_eq!(codec.decode(&token).map(drop), refused(Kind::Authentication), "{odd}");
    }
}
