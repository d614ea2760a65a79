//! How the client proves who it is at the token endpoint (RFC 6749 section 2.3, RFC 7523, OpenID Connect Core section 9).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use portcullis::{
    ClientAuthentication, OAuth,
    codec::JwsAlgorithm,
    preset::{Keycloak, Twitch},
};
use serde_json::{Value, json};

use crate::{
    provider::{CLIENT, CLIENT_SECRET, Provider, Seen},
    site::{browser, builder, is_signed_in, sign_in},
    time::Time,
};

const PRIVATE: &[u8] = include_bytes!("../keys/test-p256.private.pem");
const PUBLIC: &[u8] = include_bytes!("../keys/test-p256.public.pem");

/// The token request of one sign-in, where it went, and when.
async fn token_request(authentication: impl Into<ClientAuthentication>) -> (Seen, String, i64) {
    token_request_of(OAuth::oidc("acme", "", CLIENT, authentication)).await
}

/// Likewise, of a provider that was configured otherwise.
async fn token_request_of(provider: OAuth) -> (Seen, String, i64) {
    let time = Time::at_noon();
    let acme = Provider::start(&time);
    acme.plan(|plan| plan.trusts_clients = true);
    let provider = provider.with_id("acme").issuer(&acme.issuer);
    let auth = builder(&time).provider(provider).build().unwrap();
    is_signed_in("acme", &sign_in(&mut browser(&auth), "acme").await);
    let seen = acme.seen("/token").remove(0);
    (seen, format!("{}/token", acme.issuer), time.now())
}

/// The claims of a token, if it was signed with the private key.
fn claims(token: &str) -> Value {
    let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    assert_eq!(json(header), json!({ "alg": "ES256", "kid": "key-1" }));
    let key = DecodingKey::from_ec_pem(PUBLIC).unwrap();
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::ES256, &key).unwrap();
    verifier.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    json(payload)
}

#[tokio::test]
async fn a_secret_in_the_header() {
    let (seen, ..) = token_request(CLIENT_SECRET).await;
    assert_eq!(seen.headers[AUTHORIZATION], "Basic Y2xpZW50K2lkOnMlM0FlJTI1YyUyQnJldA==");
    assert!(!seen.form.contains_key("client_id") && !seen.form.contains_key("client_secret"));
}

#[tokio::test]
async fn a_secret_in_the_body() {
    let (seen, ..) = token_request(ClientAuthentication::secret_post(CLIENT_SECRET)).await;
    assert!(!seen.headers.contains_key(AUTHORIZATION));
    assert_eq!((&*seen.form["client_id"], &*seen.form["client_secret"]), (CLIENT, CLIENT_SECRET));
}

/// A text goes where the provider documents it; whoever names a way has it, whatever the preset's is.
#[tokio::test]
async fn a_preset_leaves_a_way_that_was_named() {
    for (preset, text_in_body) in [(Twitch::PRESET, true), (Keycloak::PRESET, false)] {
        for (authentication, in_body) in [
            (CLIENT_SECRET.into(), text_in_body),
            (CLIENT_SECRET.to_owned().into(), text_in_body),
            (ClientAuthentication::secret_basic(CLIENT_SECRET), false),
            (ClientAuthentication::secret_post(CLIENT_SECRET), true),
        ] {
            let case = format!("{}: {authentication:?}", preset.id);
            let (seen, ..) = token_request_of(preset.provider(CLIENT, authentication)).await;
            assert_eq!(seen.headers.contains_key(AUTHORIZATION), !in_body, "{case}");
            assert_eq!(
                seen.form.get("client_secret").is_some_and(|text| text == CLIENT_SECRET),
                in_body,
                "{case}"
            );
        }
    }
}

/// A public client has PKCE alone.
#[tokio::test]
async fn no_secret() {
    let (seen, ..) = token_request(ClientAuthentication::public()).await;
    assert!(!seen.headers.contains_key(AUTHORIZATION) && !seen.form.contains_key("client_secret"));
    assert!(seen.form["client_id"] == CLIENT && seen.form.contains_key("code_verifier"));
}

/// A new assertion for each request, for this endpoint alone and for a minute.
#[tokio::test]
async fn a_private_key() {
    let key = ClientAuthentication::private_key_jwt(JwsAlgorithm::ES256, "key-1", PRIVATE).unwrap();
    let (one, endpoint, now) = token_request(key.clone()).await;
    let (other, ..) = token_request(key).await;
    assert!(!one.headers.contains_key(AUTHORIZATION) && !one.form.contains_key("client_secret"));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!((&*one.form["client_id"], &*one.form["client_assertion_type"]), (CLIENT, kind));
    let [one, other] = [one, other].map(|seen| claims(&seen.form["client_assertion"]));
    assert_eq!((&one["iss"], &one["sub"], &one["aud"]), (&json!(CLIENT), &json!(CLIENT), &json!(endpoint)));
    assert_eq!((&one["iat"], &one["exp"]), (&json!(now), &json!(now + 60)));
    assert_ne!(one["jti"], other["jti"]);
}

/// Apple's: signed by the team, in place of a secret.
#[tokio::test]
async fn a_signed_secret() {
    let key = ClientAuthentication::apple("team-1", "key-1", PRIVATE).unwrap();
    let (seen, _, now) = token_request(key).await;
    assert_eq!(seen.form["client_id"], CLIENT);
    let claims = claims(&seen.form["client_secret"]);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("team-1"), &json!(CLIENT)));
    assert_eq!((&claims["aud"], &claims["exp"]), (&json!("https://appleid.apple.com"), &json!(now + 60)));
}

/// What is no key is said at the start, and shows nothing of itself.
#[test]
fn what_is_no_key() {
    for (algorithm, text) in [
        (JwsAlgorithm::ES256, PUBLIC),
        (JwsAlgorithm::RS256, PRIVATE),
        (JwsAlgorithm::HS256, PRIVATE),
        (JwsAlgorithm::ES256, b"s:e%c+ret".as_slice()),
    ] {
        let error = ClientAuthentication::private_key_jwt(algorithm, "key-1", text).unwrap_err().to_string();
        assert!(!error.contains("s:e%c+ret"), "{error}");
    }
    let shown = format!("{:?}", ClientAuthentication::secret_post(CLIENT_SECRET));
    assert_eq!(shown, "client_secret_post");
}
