//! ID tokens (OpenID Connect Core section 3.1.3.7).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use portcullis::{Dialect, codec::JwsAlgorithm};
use serde_json::{Value, json};

use crate::{
    provider::{
        Break, CLIENT, CLIENT_SECRET, Case, Provider, Reply, Signature, sign_with, signed, signed_as,
        signed_text, unsigned,
    },
    site::{Fault, at_provider, begin, browser, builder, is_signed_in, oidc, sign_in, site},
    time::Time,
};

const RSA_PUBLIC: &[u8] = include_bytes!("../keys/test-rsa.public.pem");
const RSA_PRIVATE: &[u8] = include_bytes!("../keys/test-rsa.private.pem");

/// The published key with this name, as its issuer writes it.
fn published(kid: &str) -> Value {
    let set: Value = serde_json::from_str(include_str!("../keys/jwks.json")).unwrap();
    set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone()
}

/// With a shared secret.
fn hs256(secret: &[u8], header: Value, claims: &Value) -> String {
    sign_with(Algorithm::HS256, &EncodingKey::from_secret(secret), &header, claims)
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// `name` moved by so many seconds.
fn moved(claims: Value, name: &str, seconds: i64) -> Value {
    let value = claims[name].as_i64().unwrap() + seconds;
    with(claims, name, value)
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"ed25519"}"#;

/// The claims, with one more in front of the others and behind them.
fn between(first: &str, claims: &Value, last: &str) -> String {
    let text = claims.to_string();
    let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap();
    signed_text(HEADER, &format!("{{{first}{members}{last}}}"))
}

/// How a token is made.
const SIGNATURES: &[Signature] = &[
    ("alg none", |claims| format!("{}.", unsigned(&json!({ "alg": "none" }), claims))),
    ("alg None", |claims| format!("{}.", unsigned(&json!({ "alg": "None", "kid": "ed25519" }), claims))),
    ("alg none, and a signature", |claims| signed_as(&json!({ "alg": "none" }), claims)),
    ("no signature", |claims| format!("{}.", unsigned(&json!({ "alg": "EdDSA", "kid": "ed25519" }), claims))),
    ("two parts", |claims| unsigned(&json!({ "alg": "EdDSA", "kid": "ed25519" }), claims)),
    ("HS256 with the public key in PEM", |claims| {
        hs256(RSA_PUBLIC, json!({ "alg": "HS256", "kid": "rsa" }), claims)
    }),
    ("HS256 with the public key in JSON", |claims| {
        let key = published("rsa").to_string();
        hs256(key.as_bytes(), json!({ "alg": "HS256", "kid": "rsa" }), claims)
    }),
    ("HS256 with the public key's bytes", |claims| {
        let key = URL_SAFE_NO_PAD.decode(published("ed25519")["x"].as_str().unwrap()).unwrap();
        hs256(&key, json!({ "alg": "HS256", "kid": "ed25519" }), claims)
    }),
    ("HS256 with the client secret, which nobody has configured", |claims| {
        hs256(CLIENT_SECRET.as_bytes(), json!({ "alg": "HS256" }), claims)
    }),
    ("another key", |claims| {
        let key = EncodingKey::from_rsa_pem(RSA_PRIVATE).unwrap();
        sign_with(Algorithm::RS256, &key, &json!({ "alg": "EdDSA", "kid": "ed25519" }), claims)
    }),
    ("another alg than that of the key", |claims| {
        signed_as(&json!({ "alg": "ES256", "kid": "ed25519" }), claims)
    }),
    ("the name of another key", |claims| signed_as(&json!({ "alg": "EdDSA", "kid": "rsa" }), claims)),
    ("an unknown key", |claims| signed_as(&json!({ "alg": "EdDSA", "kid": "stranger" }), claims)),
    ("a key of its own", |claims| {
        let header = json!({ "alg": "RS256", "jwk": published("rsa") });
        sign_with(Algorithm::RS256, &EncodingKey::from_rsa_pem(RSA_PRIVATE).unwrap(), &header, claims)
    }),
    ("a place of keys", |claims| {
        signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "jku": "https://evil.example/keys" }), claims)
    }),
    ("a place of a certificate", |claims| {
        signed_as(
            &json!({ "alg": "EdDSA", "kid": "ed25519", "x5u": "https://evil.example/certificate" }),
            claims,
        )
    }),
    ("a certificate", |claims| {
        signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "x5c": ["MIIB"] }), claims)
    }),
    ("a critical extension", |claims| {
        signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "crit": ["b64"], "b64": true }), claims)
    }),
    ("changed claims", |claims| {
        let token = signed(claims);
        let (_, signature) = token.rsplit_once('.').unwrap();
        let changed = with(claims.clone(), "sub", "mallory");
        format!("{}.{signature}", unsigned(&json!({ "alg": "EdDSA", "kid": "ed25519" }), &changed))
    }),
    ("a logout token", |claims| {
        signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "typ": "logout+jwt" }), claims)
    }),
    ("an access token", |claims| {
        signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "typ": "at+jwt" }), claims)
    }),
    // Whoever reads the first value of two and whoever reads the last must not see different people.
    ("a header with two alg", |claims| {
        signed_text(r#"{"alg":"none","alg":"EdDSA","kid":"ed25519"}"#, &claims.to_string())
    }),
    ("two subjects, the other one last", |claims| between("", claims, r#","sub":"mallory""#)),
    ("two subjects, the other one first", |claims| between(r#""sub":"mallory","#, claims, "")),
    ("one subject twice", |claims| between("", claims, &format!(r#","sub":{}"#, claims["sub"]))),
    ("two subjects, one of them escaped", |claims| between("", claims, r#","\u0073ub":"mallory""#)),
    ("two issuers", |claims| between(r#""iss":"https://other.example","#, claims, "")),
    ("two audiences", |claims| between(r#""aud":"other","#, claims, "")),
    ("two nonces", |claims| between(r#""nonce":"n-0S6_WzA2Mj","#, claims, "")),
    ("two ends", |claims| between(r#""exp":0,"#, claims, "")),
    ("two addresses", |claims| between(r#""email":"mallory@example.com","#, claims, "")),
    ("a header that is a list", |claims| signed_as(&json!(["EdDSA", "ed25519"]), claims)),
    ("claims that are a list", |claims| signed(&json!([claims]))),
    ("no token", |_| "no token".to_owned()),
];

/// What a token says.
const CLAIMS: &[Case<Value>] = &[
    ("another issuer", |claims| with(claims, "iss", "https://other.example")),
    ("an issuer with a slash more", |claims| {
        let issuer = format!("{}/", claims["iss"].as_str().unwrap());
        with(claims, "iss", issuer)
    }),
    ("a list of issuers", |claims| {
        let issuers = json!([claims["iss"]]);
        with(claims, "iss", issuers)
    }),
    ("no issuer", |claims| without(claims, "iss")),
    ("another audience", |claims| with(claims, "aud", "other")),
    ("an audience in other letters", |claims| with(claims, "aud", CLIENT.to_uppercase())),
    ("no audience", |claims| without(claims, "aud")),
    ("an empty list of audiences", |claims| with(claims, "aud", json!([]))),
    ("an audience that is no text", |claims| with(claims, "aud", json!({ CLIENT: true }))),
    ("a list with what is no audience", |claims| with(claims, "aud", json!([CLIENT, 7]))),
    ("several audiences without azp", |claims| with(claims, "aud", json!([CLIENT, "other"]))),
    ("several audiences, and another azp", |claims| {
        with(with(claims, "aud", json!([CLIENT, "other"])), "azp", "other")
    }),
    ("another azp", |claims| with(claims, "azp", "other")),
    ("an azp that is no text", |claims| with(claims, "azp", json!([CLIENT]))),
    ("expired", |claims| moved(claims, "exp", -611)),
    ("no end", |claims| without(claims, "exp")),
    ("an end in text", |claims| with(claims, "exp", "9999999999")),
    ("from the future", |claims| moved(claims, "iat", 11)),
    ("no beginning", |claims| without(claims, "iat")),
    ("a beginning that is null", |claims| with(claims, "iat", Value::Null)),
    ("not good yet", |claims| {
        let later = claims["iat"].as_i64().unwrap() + 11;
        with(claims, "nbf", later)
    }),
    ("good from a time in text", |claims| with(claims, "nbf", "9999999999")),
    ("good from a time that is null", |claims| with(claims, "nbf", Value::Null)),
    ("good from a list of times", |claims| with(claims, "nbf", json!([0]))),
    ("nobody", |claims| without(claims, "sub")),
    ("an empty subject", |claims| with(claims, "sub", "")),
    ("a subject that is no text", |claims| with(claims, "sub", 7)),
    ("a list of subjects", |claims| with(claims, "sub", json!(["alice-1"]))),
    ("no nonce", |claims| without(claims, "nonce")),
    ("an empty nonce", |claims| with(claims, "nonce", "")),
    ("another nonce", |claims| with(claims, "nonce", "n-0S6_WzA2Mj")),
    ("a nonce with more behind it", |claims| {
        let nonce = format!("{}x", claims["nonce"].as_str().unwrap());
        with(claims, "nonce", nonce)
    }),
    ("a list of nonces", |claims| {
        let nonces = json!([claims["nonce"]]);
        with(claims, "nonce", nonces)
    }),
    ("the hash of another access token", |claims| with(claims, "at_hash", URL_SAFE_NO_PAD.encode([0; 32]))),
    ("the whole hash", |claims| with(claims, "at_hash", URL_SAFE_NO_PAD.encode([0; 64]))),
    ("a hash that is no text", |claims| with(claims, "at_hash", 7)),
    ("an empty hash", |claims| with(claims, "at_hash", "")),
];

/// What is good, though not every token is so.
const GOOD: &[Break] = &[
    ("as it is", |_| {}),
    ("a list of this audience", |plan| plan.claims = |claims| with(claims, "aud", json!([CLIENT]))),
    ("several audiences, issued to this one", |plan| {
        plan.claims = |claims| with(with(claims, "aud", json!(["other", CLIENT])), "azp", CLIENT);
    }),
    ("expired within the leeway", |plan| plan.claims = |claims| moved(claims, "exp", -609)),
    ("a little from the future", |plan| plan.claims = |claims| moved(claims, "iat", 9)),
    ("good from now", |plan| {
        plan.claims = |claims| {
            let now = claims["iat"].clone();
            with(claims, "nbf", now)
        };
    }),
    ("a time with a fraction", |plan| {
        plan.claims = |claims| {
            let fraction = claims["iat"].as_f64().unwrap() + 0.5;
            with(claims, "iat", fraction)
        };
    }),
    ("no hash", |plan| plan.claims = |claims| without(claims, "at_hash")),
    ("a type", |plan| {
        plan.sign = |claims| signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "typ": "JWT" }), claims);
    }),
    ("written by hand", |plan| plan.sign = |claims| between("", claims, "")),
    ("a claim that nobody knows", |plan| plan.sign = |claims| between(r#""x":{"sub":1},"#, claims, "")),
    ("no name of the key, which one fits alone", |plan| {
        plan.sign = |claims| signed_as(&json!({ "alg": "EdDSA" }), claims);
    }),
    ("RS256", |plan| {
        plan.claims = |claims| without(claims, "at_hash");
        plan.sign = |claims| {
            let header = json!({ "alg": "RS256", "kid": "rsa" });
            sign_with(Algorithm::RS256, &EncodingKey::from_rsa_pem(RSA_PRIVATE).unwrap(), &header, claims)
        };
    }),
];

/// S35: each rule, broken alone.
#[tokio::test]
async fn s35_broken_id_tokens_sign_nobody_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let mut browser = browser(&site(dialect, &time, &provider));
        for (case, sign) in SIGNATURES {
            provider.plan(|plan| plan.sign = *sign);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser, "acme").await);
        }
        for (case, claims) in CLAIMS {
            provider.plan(|plan| plan.claims = *claims);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser, "acme").await);
        }
        assert_eq!(browser.who().await, "nobody");
    }
}

/// S35: the rules refuse no token that is good.
#[tokio::test]
async fn s35_good_id_tokens_sign_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        for (case, plan) in GOOD {
            provider.plan(plan);
            is_signed_in(case, &sign_in(&mut browser(&auth), "acme").await);
        }
    }
}

/// S35: a token of another sign-in has another nonce, so it is good for nobody else, nor once more.
#[tokio::test]
async fn s35_a_token_is_good_for_one_sign_in() {
    use std::sync::Mutex;
    static CAUGHT: Mutex<Option<String>> = Mutex::new(None);
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        provider.plan(|plan| {
            plan.claims = |claims| without(claims, "at_hash");
            plan.token = |answer| {
                *CAUGHT.lock().unwrap() = answer["id_token"].as_str().map(str::to_owned);
                Reply::json(answer)
            };
        });
        is_signed_in("first", &sign_in(&mut browser(&auth), "acme").await);
        provider.plan(|plan| {
            plan.token = |answer| Reply::json(with(answer, "id_token", CAUGHT.lock().unwrap().clone()));
        });
        for case in ["by somebody else", "once more"] {
            let mut browser = browser(&auth);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser, "acme").await);
        }
    }
}

/// S35: with HS256 configured, the client secret is the key, and no public key is.
#[tokio::test]
async fn s35_shared_secrets_are_a_choice() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let acme = oidc("acme", &provider).id_token_algorithms([JwsAlgorithm::HS256]);
    let auth = builder(&time).provider(acme).build().unwrap();
    let mut browser = browser(&auth);
    let refused: &[Signature] = &[
        ("a public key", |claims| hs256(RSA_PUBLIC, json!({ "alg": "HS256" }), claims)),
        ("an empty secret", |claims| hs256(b"", json!({ "alg": "HS256" }), claims)),
        ("another algorithm", signed),
        ("none", |claims| format!("{}.", unsigned(&json!({ "alg": "none" }), claims))),
    ];
    for (case, sign) in refused {
        provider.plan(|plan| plan.sign = *sign);
        Fault::Exchange.is_told(case, Dialect::V4, &sign_in(&mut browser, "acme").await);
    }
    provider.plan(|plan| {
        plan.claims = |claims| without(claims, "at_hash");
        plan.sign = |claims| hs256(CLIENT_SECRET.as_bytes(), json!({ "alg": "HS256" }), claims);
    });
    let url = begin(&mut browser, "acme").await.unwrap();
    is_signed_in("the client secret", &browser.get(&at_provider(&url).await).await);
}
