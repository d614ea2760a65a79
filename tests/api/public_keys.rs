//! Verifiers that have public keys only: from PEM, from a set, and from a URL that changes and goes away.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use portcullis::{
    Auth,
    codec::{Codec, JwkSet, JwksUrl, Jws, JwsAlgorithm, JwsKeys},
    http_client::{HttpClient, HttpError},
};
use serde_json::{Value, json};

use crate::support::{Browser, ManualClock, NOW, whoami};

const PRIVATE: &[u8] = include_bytes!("../keys/test-ed25519.private.pem");
const PUBLIC: &[u8] = include_bytes!("../keys/test-ed25519.public.pem");
const ALGORITHMS: [JwsAlgorithm; 2] = [JwsAlgorithm::EdDSA, JwsAlgorithm::ES256];

fn token() -> String {
    let keys = JwsKeys::pem(JwsAlgorithm::EdDSA, PRIVATE, PUBLIC).unwrap();
    let claims = json!({ "sub": "7", "iat": NOW, "exp": NOW + 3600 });
    Jws::new(JwsAlgorithm::EdDSA, keys).unwrap().encode(claims.to_string().as_bytes()).unwrap()
}

/// The public keys with these names, as an issuer publishes them.
fn published(kids: &[&str]) -> String {
    let all: Value = serde_json::from_str(include_str!("../keys/jwks.json")).unwrap();
    let keys = all["keys"].as_array().unwrap().iter();
    let keys: Vec<_> = keys.filter(|key| kids.contains(&key["kid"].as_str().unwrap())).collect();
    json!({ "keys": keys }).to_string()
}

async fn who(auth: &Auth, token: &str) -> String {
    Browser::new(whoami(auth.clone())).with_header("authorization", &format!("Bearer {token}")).who().await
}

#[tokio::test]
async fn a_public_key_is_enough() {
    let clock = ManualClock::at(NOW);
    let token = token();
    let pem = JwsKeys::public_pem(JwsAlgorithm::EdDSA, PUBLIC).unwrap();
    let pem = Auth::verifier_with(Jws::new(JwsAlgorithm::EdDSA, pem).unwrap());
    let set = Auth::verifier_with(JwkSet::from_json(&published(&["ed25519", "rsa"]), ALGORITHMS).unwrap());
    for auth in [pem, set] {
        let auth = auth.clock(clock.clone()).build().unwrap();
        assert_eq!(who(&auth, &token).await, "7");
        for name in ["next-auth.session-token", "__Secure-authjs.session-token"] {
            let mut browser = Browser::new(whoami(auth.clone())).with_cookie(name, &token);
            assert_eq!(browser.who().await, "7", "{name}");
        }
        let mut tampered = token.clone();
        tampered.replace_range(40..41, if &token[40..41] == "A" { "B" } else { "A" });
        assert_eq!(who(&auth, &tampered).await, "nobody");
    }
    let other = JwkSet::from_json(&published(&["p256"]), ALGORITHMS).unwrap();
    let other = Auth::verifier_with(other).clock(clock).build().unwrap();
    assert_eq!(who(&other, &token).await, "nobody", "a key that is not in the set");
}

/// An issuer that answers what it is told to, and counts how often it is asked.
#[derive(Clone, Default)]
struct Issuer {
    answer: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    fn publish(&self, kids: &[&str]) {
        *self.answer.lock().unwrap() = Some(published(kids));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn client(&self) -> impl HttpClient {
        let issuer = self.clone();
        move |_: Request<Bytes>| {
            issuer.asked.fetch_add(1, Ordering::SeqCst);
            let answer = issuer.answer.lock().unwrap().clone();
            async move { answer.map(|set| Response::new(Bytes::from(set))).ok_or(HttpError::unavailable("away")) }
        }
    }

    fn verifier(&self, clock: &ManualClock) -> Auth {
        let url = "https://id.example/jwks.json";
        let keys = JwksUrl::new(url, ALGORITHMS, self.client()).unwrap().clock(clock.clone());
        Auth::verifier_with(keys).clock(clock.clone()).build().unwrap()
    }
}

/// The first request with a new key waits for it, and no flood of others makes the issuer suffer.
#[tokio::test]
async fn keys_from_a_url_are_waited_for() {
    let (clock, issuer, token) = (ManualClock::at(NOW), Issuer::default(), token());
    issuer.publish(&["p256"]);
    let auth = issuer.verifier(&clock);
    assert_eq!(who(&auth, &token).await, "nobody");
    assert_eq!(issuer.asked(), 1);
    issuer.publish(&["p256", "ed25519"]);
    for _ in 0..50 {
        assert_eq!(who(&auth, &token).await, "nobody", "asked a moment ago");
    }
    assert_eq!(issuer.asked(), 1);
    clock.advance(Duration::from_secs(61));
    assert_eq!(who(&auth, &token).await, "7");
    assert_eq!(who(&auth, &token).await, "7");
    assert_eq!(issuer.asked(), 2);
}

/// S70: where no keys can be had it is not known who is there: neither somebody nor nobody.
#[tokio::test]
async fn s70_without_keys_sessions_are_unavailable() {
    let (clock, issuer, token) = (ManualClock::at(NOW), Issuer::default(), token());
    let auth = issuer.verifier(&clock);
    assert_eq!(who(&auth, &token).await, "SessionUnavailable");
    assert_eq!(Browser::new(whoami(auth.clone())).who().await, "nobody", "visitors are known as such");
    issuer.publish(&["ed25519"]);
    clock.advance(Duration::from_secs(11));
    assert_eq!(who(&auth, &token).await, "7", "as soon as they are back");
    // An outage later: the last good set goes on.
    *issuer.answer.lock().unwrap() = None;
    clock.advance(Duration::from_secs(1800));
    assert_eq!(who(&auth, &token).await, "7");
}
