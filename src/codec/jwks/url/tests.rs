//! When the set is asked for, with a clock that is set and a client that counts. Nothing here sleeps.

use std::{
    future,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{super::tests, *};
use crate::{
    codec::jws::JwsAlgorithm::{ES256, EdDSA, HS256, RS256},
    http_client::HttpError,
};

const URL: &str = "https://issuer.example/keys?token=canary";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What the tests turn: the time, and what the issuer answers.
#[derive(Debug, Clone)]
struct World(Arc<Knobs>);

#[derive(Debug)]
struct Knobs {
    millis: Mutex<u64>,
    /// Time limits are over at once.
    impatient: Mutex<bool>,
    issuer: Mutex<Issuer>,
    requests: AtomicUsize,
    /// Responses wait for one each while the issuer is [`Issuer::Slow`].
    permits: Semaphore,
}

#[derive(Debug, Clone)]
enum Issuer {
    Keys(String),
    Answer(u16, Bytes),
    Slow(String),
    Down,
    Panics,
    Hangs,
}

impl Clock for World {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(*self.0.millis.lock().unwrap())
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match *self.0.impatient.lock().unwrap() {
            true => Box::pin(future::ready(())),
            false => Box::pin(future::pending()),
        }
    }
}

impl World {
    fn new(issuer: Issuer) -> Self {
        Self(Arc::new(Knobs {
            millis: Mutex::new(1_768_478_400_000),
            impatient: Mutex::new(false),
            issuer: Mutex::new(issuer),
            requests: AtomicUsize::new(0),
            permits: Semaphore::new(0),
        }))
    }

    fn keys(&self) -> JwksUrl {
        let world = self.clone();
        let client = move |request: Request<Bytes>| {
            assert_eq!(request.uri(), URL);
            world.0.requests.fetch_add(1, Ordering::SeqCst);
            let issuer = world.0.issuer.lock().unwrap().clone();
            let world = world.clone();
            async move {
                match issuer {
                    Issuer::Keys(keys) => Ok(Response::new(keys.into())),
                    Issuer::Answer(status, body) => {
                        Ok(Response::builder().status(status).body(body).unwrap())
                    }
                    Issuer::Slow(keys) => {
                        world.0.permits.acquire().await.unwrap().forget();
                        Ok(Response::new(keys.into()))
                    }
                    Issuer::Down => Err(HttpError::unavailable("connection refused")),
                    Issuer::Panics => panic!("the client panics"),
                    Issuer::Hangs => future::pending().await,
                }
            }
        };
        JwksUrl::new(URL, [EdDSA, ES256], client).unwrap().clock(self.clone())
    }

    fn set(&self, issuer: Issuer) {
        *self.0.issuer.lock().unwrap() = issuer;
    }

    fn pass(&self, time: Duration) {
        *self.0.millis.lock().unwrap() += time.as_millis() as u64;
    }

    fn requests(&self) -> usize {
        self.0.requests.load(Ordering::SeqCst)
    }
}

/// The set before a change of keys, and after it.
fn old() -> Issuer {
    Issuer::Keys(tests::set_of(&[tests::jwk(EdDSA, json!({ "kid": "old" }))]))
}

fn new() -> Issuer {
    let kept = tests::jwk(EdDSA, json!({ "kid": "old" }));
    Issuer::Keys(tests::set_of(&[kept, tests::jwk(ES256, json!({ "kid": "new" }))]))
}

/// What the layer does with a token.
async fn open(keys: &JwksUrl, token: &str) -> Result<Opened, CodecError> {
    match keys.decode(token) {
        Err(error) if error.is_unknown_key() => {
            let Some(newer) = keys.refresh() else { return Err(error) };
            if newer.await { keys.decode(token) } else { Err(error) }
        }
        outcome => outcome,
    }
}

/// Lets what runs in the background come to its end, on the one thread of the test.
async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn s39_the_set_is_read_once_and_kept() {
    let world = World::new(old());
    let keys = world.keys();
    keys.load().await.unwrap();
    keys.load().await.unwrap();
    for _ in 0..100 {
        assert_eq!(keys.decode(&tests::token(EdDSA, "old")).unwrap().claims, tests::CLAIMS);
    }
    settle().await;
    assert_eq!(world.requests(), 1);
    assert_eq!(keys.encode(b"{}").unwrap_err(), CodecError::unavailable());
    assert_eq!(format!("{keys:?}"), "JwksUrl(https://issuer.example/keys)");
}

#[tokio::test]
async fn without_load_the_first_token_has_it_read() {
    let world = World::new(old());
    let keys = world.keys();
    // Text that is no token of ours asks for nothing.
    for garbage in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(!open(&keys, garbage).await.unwrap_err().is_unknown_key());
    }
    settle().await;
    assert_eq!(world.requests(), 0);
    assert!(open(&keys, &tests::token(EdDSA, "old")).await.is_ok());
    assert_eq!(world.requests(), 1);

    // Where nobody waits, the next token finds it.
    let keys = world.keys();
    assert!(keys.decode(&tests::token(EdDSA, "old")).unwrap_err().is_no_keys());
    settle().await;
    assert!(keys.decode(&tests::token(EdDSA, "old")).is_ok());
    assert_eq!(world.requests(), 2);
}

/// Without a runtime nothing runs in the background: whoever waits drives the request.
#[test]
fn without_a_runtime_the_waiting_one_asks() {
    let world = World::new(old());
    let keys = world.keys();
    assert!(keys.decode(&tests::token(EdDSA, "old")).unwrap_err().is_no_keys());
    assert_eq!(world.requests(), 0);
    assert!(futures_util::FutureExt::now_or_never(keys.refresh().unwrap()).unwrap());
    assert!(keys.decode(&tests::token(EdDSA, "old")).is_ok());
}

#[tokio::test]
async fn s39_a_change_of_keys_is_followed() {
    let world = World::new(old());
    let keys = world.keys();
    keys.load().await.unwrap();
    world.pass(MINUTE);
    world.set(new());
    assert!(
        open(&keys, &tests::token(ES256, "new")).await.is_ok(),
        "the first request waits for the new key"
    );
    assert!(open(&keys, &tests::token(EdDSA, "old")).await.is_ok());
    assert_eq!(world.requests(), 2);

    // A key that the issuer has withdrawn is trusted until the set is read again.
    world.set(Issuer::Keys(tests::set_of(&[tests::jwk(ES256, json!({ "kid": "new" }))])));
    world.pass(10 * MINUTE);
    assert!(keys.decode(&tests::token(EdDSA, "old")).is_ok());
    settle().await;
    assert_eq!(world.requests(), 3);
    assert!(keys.decode(&tests::token(EdDSA, "old")).unwrap_err().is_unknown_key());
    assert!(keys.decode(&tests::token(ES256, "new")).is_ok());
}

/// S39: a flood of names that somebody made up is one request per interval.
#[tokio::test]
async fn s39_a_flood_of_unknown_keys_is_one_request() {
    let world = World::new(old());
    let keys = world.keys();
    keys.load().await.unwrap();
    for minute in 0..3 {
        for number in 0..200 {
            let token = tests::token(EdDSA, &format!("forged-{number}"));
            assert!(open(&keys, &token).await.unwrap_err().is_unknown_key());
        }
        settle().await;
        assert_eq!(world.requests(), 1 + minute, "minute {minute}");
        world.pass(MINUTE);
    }
    // Not even waiting is worth it in between.
    let _ = open(&keys, &tests::token(EdDSA, "forged")).await;
    world.set(Issuer::Down);
    world.pass(MINUTE);
    let _ = open(&keys, &tests::token(EdDSA, "forged")).await;
    assert!(keys.refresh().is_none());
    assert!(keys.decode(&tests::token(EdDSA, "old")).is_ok());
}

#[tokio::test]
async fn s39_all_callers_share_one_request() {
    let Issuer::Keys(text) = new() else { unreachable!() };
    let world = World::new(Issuer::Slow(text));
    let keys = world.keys();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let keys = keys.clone();
            tokio::spawn(async move { open(&keys, &tests::token(ES256, "new")).await })
        })
        .collect();
    let loading = tokio::spawn({
        let keys = keys.clone();
        async move { keys.load().await }
    });
    settle().await;
    assert_eq!(world.requests(), 1);
    world.0.permits.add_permits(1);
    for caller in callers {
        assert!(caller.await.unwrap().is_ok());
    }
    loading.await.unwrap().unwrap();
    assert_eq!(world.requests(), 1);
}

/// Whoever asks and goes away leaves the request to the others, and cannot use up the interval.
#[tokio::test]
async fn s39_a_caller_that_goes_away_takes_nothing_along() {
    let Issuer::Keys(text) = new() else { unreachable!() };
    let world = World::new(Issuer::Slow(text));
    let keys = world.keys();
    let token = tests::token(ES256, "new");
    let gone = tokio::spawn({
        let (keys, token) = (keys.clone(), token.clone());
        async move { open(&keys, &token).await }
    });
    settle().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let waiting = tokio::spawn({
        let (keys, token) = (keys.clone(), token.clone());
        async move { open(&keys, &token).await }
    });
    settle().await;
    world.0.permits.add_permits(1);
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!(world.requests(), 1);
}

/// A set that came between the refusal and the question is taken, not asked for again.
#[tokio::test]
async fn a_set_that_came_meanwhile_counts() {
    let world = World::new(old());
    let keys = world.keys();
    keys.load().await.unwrap();
    world.pass(MINUTE);
    world.set(new());
    let token = tests::token(ES256, "new");
    assert!(keys.decode(&token).unwrap_err().is_unknown_key());
    settle().await;
    assert!(keys.refresh().unwrap().await);
    assert!(keys.decode(&token).is_ok());
    assert_eq!(world.requests(), 2);
}

#[tokio::test]
async fn s39_an_outage_at_the_start() {
    let world = World::new(Issuer::Down);
    let keys = world.keys();
    let error = keys.load().await.unwrap_err().to_string();
    for part in ["https://issuer.example/keys", "connection refused", "check the URL"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("canary"), "{error}");
    let token = tests::token(EdDSA, "old");
    for _ in 0..50 {
        assert!(open(&keys, &token).await.unwrap_err().is_no_keys());
    }
    assert_eq!(world.requests(), 1);
    world.set(old());
    // Whoever calls `load` wants it now.
    world.pass(Duration::from_secs(10));
    assert!(open(&keys, &token).await.is_ok());
    assert_eq!(world.requests(), 2);

    let keys = World::new(Issuer::Down).keys();
    assert!(keys.load().await.is_err());
    assert!(keys.load().await.is_err());
}

/// S39: whatever the issuer answers, the last good set stays in use, until it is too old.
#[tokio::test]
async fn s39_an_outage_later() {
    let token = tests::token(EdDSA, "old");
    let huge = Bytes::from(format!("{}{}", tests::set_of(&[]), " ".repeat(50 * 1024 * 1024)));
    for fault in [
        Issuer::Down,
        Issuer::Panics,
        Issuer::Hangs,
        Issuer::Answer(500, Bytes::new()),
        Issuer::Answer(404, Bytes::from(tests::set_of(&[tests::jwk(ES256, json!({}))]))),
        Issuer::Answer(302, Bytes::new()),
        Issuer::Answer(204, Bytes::new()),
        Issuer::Answer(200, Bytes::new()),
        Issuer::Answer(200, Bytes::from_static(b"<html>Sign in to the hotel's network</html>")),
        Issuer::Answer(200, Bytes::from_static(b"{\"keys\":[]}")),
        Issuer::Answer(200, Bytes::from_static(b"\xff\xfe")),
        Issuer::Answer(200, huge),
    ] {
        let name: String = format!("{fault:?}").chars().take(40).collect();
        let world = World::new(old());
        let keys = world.keys();
        keys.load().await.unwrap();
        world.set(fault);
        *world.0.impatient.lock().unwrap() = true;
        let mut requests = 1;
        for hour in 1..=24 {
            world.pass(HOUR);
            assert!(open(&keys, &token).await.is_ok(), "{name}, hour {hour}");
            settle().await;
            requests += 1;
            assert_eq!(world.requests(), requests, "{name}, hour {hour}");
        }
        world.pass(Duration::from_millis(1));
        assert!(open(&keys, &token).await.unwrap_err().is_no_keys(), "{name}: a day is enough");
        world.pass(MINUTE);
        assert!(open(&keys, &token).await.unwrap_err().is_no_keys(), "{name}");
        world.set(new());
        world.pass(MINUTE);
        assert!(open(&keys, &token).await.is_ok(), "{name}: and back");
        assert!(keys.load().await.is_ok(), "{name}");
    }
}

/// While the issuer is down it is asked every ten seconds at most.
#[tokio::test]
async fn s39_an_issuer_that_is_down_is_asked_seldom() {
    let world = World::new(old());
    let keys = world.keys();
    keys.load().await.unwrap();
    world.set(Issuer::Down);
    world.pass(10 * MINUTE);
    for second in 0..60 {
        assert!(open(&keys, &tests::token(EdDSA, "old")).await.is_ok());
        settle().await;
        assert_eq!(world.requests(), 2 + second / 10, "second {second}");
        world.pass(Duration::from_secs(1));
    }
}

/// A clock that is set back neither freezes the set nor takes it away.
#[tokio::test]
async fn a_clock_that_is_set_back() {
    let world = World::new(old());
    let keys = world.keys();
    keys.load().await.unwrap();
    *world.0.millis.lock().unwrap() -= 48 * HOUR.as_millis() as u64;
    world.set(new());
    assert!(keys.decode(&tests::token(EdDSA, "old")).is_ok());
    settle().await;
    assert!(keys.decode(&tests::token(ES256, "new")).is_ok());
    assert_eq!(world.requests(), 2);
}

/// S39: every problem is told at once, and each with its remedy.
#[test]
fn s39_what_is_wrong_is_told_at_the_start() {
    let client = |_: Request<Bytes>| async { Err(HttpError::timeout()) };
    for url in
        ["http://issuer.example/keys", "issuer.example", "", "file:///keys", "https://u:p@issuer.example/"]
    {
        let error = JwksUrl::new(url, [RS256], client).unwrap_err().to_string();
        assert!(
            error.contains("cannot be read from the configured URL") && error.contains("jwks_uri"),
            "{error}"
        );
    }
    let error = JwksUrl::new("ftp://issuer.example", [HS256], client).unwrap_err();
    assert_eq!(error.problems().count(), 2, "{error}");
    assert!(JwksUrl::new("http://localhost:8080/keys", [RS256], client).is_ok());
}

#[tokio::test]
async fn failures_say_what_to_do() {
    for (issuer, parts) in [
        (Issuer::Answer(302, Bytes::new()), ["answered 302", "the URL that it leads to"]),
        (Issuer::Answer(StatusCode::NOT_FOUND.as_u16(), Bytes::new()), ["answered 404", "check the URL"]),
        (Issuer::Answer(200, Bytes::from_static(b"<html>")), ["is no key set", "RFC 7517"]),
        (Issuer::Panics, ["client panicked", "mend it"]),
        (Issuer::Hangs, ["took too long", "check the URL"]),
    ] {
        let world = World::new(issuer);
        *world.0.impatient.lock().unwrap() = true;
        let error = world.keys().load().await.unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}: {error}");
    }
}
