//! What requests cost, in allocations: rows S27, S43, S97 and S98 of `docs/security.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "api/support/fillings.rs"]
mod fillings;

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use http::{
    Request, Response,
    header::{CONTENT_TYPE, COOKIE},
};
use http_body_util::{Empty, Full};
#[cfg(feature = "cache")]
use portcullis::store::{Cached, Store};
use portcullis::{
    Auth, AuthLayer, Clock, Dialect, OriginPolicy, RevocationPolicy, Secret, Timestamp, User,
    codec::{Codec, JweCbc, JweGcm},
    store::{
        self, MemoryStore, Revocation, RevocationStore, Revoked, SessionKey, SessionStore, StoredSession,
        UserStore,
    },
};
use tower::{Layer, Service};

use fillings::{FORMS, OBJECTS, query};

const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";
const OTHER_SECRET: &str = "9cLw2Rk7Xz4Vb1Nq8Tm5Yh3Jd6Gs0PfA";
const NOW: u64 = 1_768_478_400;

/// Stands still, and counts who looks at it.
#[derive(Debug, Clone, Default)]
struct WatchedClock(Arc<AtomicUsize>);

impl Clock for WatchedClock {
    fn now(&self) -> SystemTime {
        self.0.fetch_add(1, Ordering::SeqCst);
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// The cheapest service there is.
#[derive(Clone)]
struct Plain;

impl<B> Service<Request<B>> for Plain {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::default())))
    }
}

fn auth(clock: &WatchedClock, dialect: Dialect) -> Auth {
    Auth::builder(Secret::new(SECRET))
        .origin(OriginPolicy::fixed("https://app.example").unwrap())
        .dialect(dialect)
        .clock(clock.clone())
        .build()
        .unwrap()
}

fn request(cookie: Option<&str>) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    request.headers_mut().extend(cookie.map(|cookie| (COOKIE, cookie.parse().unwrap())));
    request
}

/// What a request costs from `call` to the response; the request itself is made before.
fn cost<S>(service: S, cookie: Option<&str>) -> AllocationInfo
where
    S: Service<Request<Empty<Bytes>>, Error = Infallible>,
{
    cost_of_request(service, || request(cookie))
}

fn cost_of_request<S, B>(mut service: S, request: impl Fn() -> Request<B>) -> AllocationInfo
where
    S: Service<Request<B>, Error = Infallible>,
{
    let mut run = |request| {
        let mut cx = Context::from_waker(Waker::noop());
        let _ = service.poll_ready(&mut cx);
        let mut response = std::pin::pin!(service.call(request));
        assert!(response.as_mut().poll(&mut cx).is_ready());
    };
    // Once before, for what is allocated the first time only.
    run(request());
    let mut measured = Some(request());
    measure(|| run(measured.take().unwrap()))
}

#[test]
fn s97_anonymous_requests_cost_no_allocation() {
    for dialect in Dialect::ALL {
        let clock = WatchedClock::default();
        let auth = auth(&clock, dialect);
        let foreign = "theme=dark; _ga=GA1.1.1234567890.1234567890; sid=s%3Aabc; next=1; authjs=2";
        for cookie in [None, Some(foreign)] {
            let bare = cost(Plain, cookie);
            let layered = cost(AuthLayer::new(auth.clone()).layer(Plain), cookie);
            assert_eq!(
                (layered.count_total, layered.bytes_total),
                (bare.count_total, bare.bytes_total),
                "{dialect}, cookies {cookie:?}"
            );
        }
        assert_eq!(clock.0.load(Ordering::SeqCst), 0, "{dialect}: nobody looked at the clock");
    }
}

#[test]
fn s97_anonymous_responses_set_no_cookie() {
    for dialect in Dialect::ALL {
        let mut service = AuthLayer::new(auth(&WatchedClock::default(), dialect)).layer(Plain);
        let mut response = std::pin::pin!(service.call(request(None)));
        let Poll::Ready(Ok(response)) = response.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("not ready at once");
        };
        assert!(response.headers().is_empty(), "{dialect}: {:?}", response.headers());
    }
}

struct Tokens {
    cookie: String,
    good: String,
    bad: Vec<(&'static str, String)>,
}

fn tokens(dialect: Dialect) -> Tokens {
    let stem = if dialect == Dialect::V5 { "authjs" } else { "next-auth" };
    let cookie = format!("__Secure-{stem}.session-token");
    let claims = format!(r#"{{"sub":"1","email":"jsmith@example.com","iat":{NOW},"exp":{}}}"#, NOW + 3600);
    let seal = |secret: &str, salt: &str| -> String {
        let secret = Secret::new(secret);
        let codec: &dyn Codec =
            if dialect == Dialect::V5 { &JweCbc::new(&secret, salt) } else { &JweGcm::new(&secret, "") };
        codec.encode(claims.as_bytes()).unwrap()
    };
    let good = seal(SECRET, &cookie);
    let changed = format!("{}{}", &good[..good.len() - 2], if good.ends_with("AA") { "BB" } else { "AA" });
    let bad = vec![
        ("another secret", seal(OTHER_SECRET, &cookie)),
        (
            "another salt or a broken end",
            if dialect == Dialect::V5 { seal(SECRET, "x") } else { changed.clone() },
        ),
        ("a broken end", changed),
        ("letters", "x".repeat(good.len())),
        ("dots", ".".repeat(good.len())),
        (
            "a header of somebody's",
            format!("eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJwMmMiOjIxNDc0ODM2NDd9.{}", "a.".repeat(3)),
        ),
        ("nothing", String::new()),
    ];
    Tokens { cookie, good, bad }
}

/// Never more memory than a session costs. A header that is not ours is parsed before it is refused, in a
/// few small pieces.
#[test]
fn s98_garbage_costs_no_more_than_a_session() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let Tokens { cookie, good, bad } = tokens(dialect);
        let layer = AuthLayer::new(auth(&WatchedClock::default(), dialect));
        let good = cost(layer.layer(Plain), Some(&format!("{cookie}={good}")));
        assert!(good.count_total > 0, "{dialect}: the session was not read");
        for (what, token) in bad {
            let cost = cost(layer.layer(Plain), Some(&format!("{cookie}={token}")));
            let about = format!("{dialect}, {what}: {cost:?}, a session: {good:?}");
            assert!(cost.bytes_total <= good.bytes_total && cost.bytes_max <= good.bytes_max, "{about}");
            let parsed = if what.contains("header") { 6 } else { 0 };
            assert!(cost.count_total <= good.count_total + parsed, "{about}");
        }
    }
}

/// S43: an endpoint takes memory in proportion to what it was sent, whatever that is: twice as much costs twice as
/// much. What is not looked at is not copied, and nothing is gone through once for each of its parts.
#[test]
fn s43_the_work_grows_with_the_request_and_no_faster() {
    const SMALL: usize = 4000;
    for dialect in Dialect::ALL {
        let layer = AuthLayer::new(auth(&WatchedClock::default(), dialect));
        for action in
            ["signin", "signin/acme", "signout", "callback/acme", "session", "csrf", "error", "_log"]
        {
            for (what, filling) in FORMS {
                let queried = |length: usize| {
                    let uri = format!("/api/auth/{action}?{}", query(&filling(length)));
                    cost_of_request(layer.layer(Plain), || {
                        Request::get(&uri).body(Full::<Bytes>::default()).unwrap()
                    })
                };
                let posted = |length: usize| {
                    let body = Bytes::from(filling(length));
                    cost_of_request(layer.layer(Plain), || {
                        let post = Request::post(format!("/api/auth/{action}"));
                        let post = post.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                        post.body(Full::new(body.clone())).unwrap()
                    })
                };
                let about = format!("{dialect}, {action}, {what}");
                grows_no_faster(&format!("{about}, in the query"), SMALL, queried);
                grows_no_faster(&format!("{about}, in the body"), SMALL, posted);
            }
        }
    }
}

/// Likewise for JSON, which may be deep.
#[test]
fn s43_depth_is_no_work() {
    for dialect in Dialect::ALL {
        let layer = AuthLayer::new(auth(&WatchedClock::default(), dialect));
        for (what, shape) in OBJECTS {
            grows_no_faster(&format!("{dialect}, {what}"), 4000, |length| {
                let body = Bytes::from(shape(length));
                cost_of_request(layer.layer(Plain), || {
                    let post = Request::post("/api/auth/session").header(CONTENT_TYPE, "application/json");
                    post.body(Full::new(body.clone())).unwrap()
                })
            });
        }
    }
}

/// From 4 to 8 and from 8 to 16 thousand bytes: the second step is twice the first one, where work is in proportion,
/// and four times as much where it is squared. Rooms that grow by doubling make up for the slack.
fn grows_no_faster(about: &str, small: usize, cost: impl Fn(usize) -> AllocationInfo) {
    let [one, two, four] = [small, 2 * small, 4 * small].map(&cost);
    let about = format!("{about}: {one:?}, {two:?}, {four:?}");
    let steps = |of: fn(&AllocationInfo) -> u64| {
        let (first, second) = (of(&two).saturating_sub(of(&one)), of(&four).saturating_sub(of(&two)));
        (first, second)
    };
    let (first, second) = steps(|cost| cost.bytes_total);
    assert!(second <= 3 * first + 4096, "bytes: {about}");
    let (first, second) = steps(|cost| cost.count_total);
    assert!(second <= 3 * first + 16, "allocations: {about}");
    // Some ten bytes are usual; thirty where each field is a node of a map.
    assert!(four.bytes_total <= 32 * 4 * small as u64, "for each byte that was sent: {about}");
}

/// What is gone through once for each of its parts is noticed.
#[test]
#[should_panic(expected = "bytes: squared")]
fn squared_work_is_too_much() {
    let piecewise = |length: usize| {
        measure(|| {
            let copies = (0..length / 100).map(|_| "x".repeat(length).len());
            assert_eq!(copies.sum::<usize>(), length / 100 * length);
        })
    };
    grows_no_faster("squared", 4000, piecewise);
}

/// A megabyte in the cookie is looked at and put aside: what it costs does not grow with it.
#[test]
fn s98_the_size_of_garbage_does_not_matter() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let Tokens { cookie, good, .. } = tokens(dialect);
        let layer = AuthLayer::new(auth(&WatchedClock::default(), dialect));
        let good = cost(layer.layer(Plain), Some(&format!("{cookie}={good}")));
        for token in ["x".repeat(1_000_000), format!("{}.{}", "x".repeat(500_000), "y.".repeat(250_000))] {
            let cost = cost(layer.layer(Plain), Some(&format!("{cookie}={token}")));
            assert!(cost.bytes_total <= good.bytes_total, "{dialect}: {cost:?}, a session: {good:?}");
        }
    }
}

/// A session in memory is answered without a future: the token, its key, the handle and its place in the extensions
/// are all that is allocated. One that is not there costs less.
#[test]
fn s98_a_session_in_memory_costs_six_allocations() {
    let clock = WatchedClock::default();
    let store = Arc::new(MemoryStore::new());
    let (token, made_up) = ("a".repeat(43), "b".repeat(43));
    ready_now(async {
        let user = store.create_user(&User::new(""), None).await.unwrap();
        let end = Timestamp::from_secs(i64::try_from(NOW).unwrap() + 30 * 24 * 60 * 60);
        let session = StoredSession::new(SessionKey::of_token(&token), user.id, end);
        store.create_session(&session, None).await.unwrap();
    });
    let origin = OriginPolicy::fixed("https://app.example").unwrap();
    let auth = Auth::builder(Secret::new(SECRET)).origin(origin).clock(clock).store(store).build().unwrap();
    let cost_of = |token: &str| {
        let cookie = format!("__Secure-next-auth.session-token={token}");
        cost(AuthLayer::new(auth.clone()).layer(Plain), Some(&cookie))
    };
    let (good, bad) = (cost_of(&token), cost_of(&made_up));
    assert_eq!(good.count_total, 6, "{good:?}");
    assert!(bad.count_total < good.count_total && bad.bytes_total < good.bytes_total, "{bad:?}, {good:?}");
}

fn ready_now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}

/// That so many sessions, or all of so many users', were ended.
#[derive(Debug)]
struct Ended(usize, fn(String) -> Revoked);

#[async_trait::async_trait]
impl RevocationStore for Ended {
    async fn revoke(&self, _: &Revocation) -> store::Result<()> {
        Ok(())
    }

    async fn revocations(&self, _: Timestamp) -> store::Result<Vec<Revocation>> {
        let (at, expires) = (Timestamp::from_secs(NOW as i64), Timestamp::from_secs(NOW as i64 + 3600));
        let subject = |number| self.1(format!("00000000-0000-4000-8000-{number:012}"));
        Ok((0..self.0).map(|number| Revocation::new(subject(number), at, expires)).collect())
    }

    async fn delete_expired_revocations(&self, _: Timestamp, _: u32) -> store::Result<u64> {
        Ok(0)
    }
}

/// What `RevocationPolicy` says of the memory that a list takes, also where its table has just grown.
#[test]
fn s96_a_revocation_takes_no_more_memory_than_stated() {
    let Tokens { cookie, good, .. } = tokens(Dialect::V4);
    for count in [5_000, 14_500, 100_000] {
        let auth = Auth::builder(Secret::new(SECRET))
            .origin(OriginPolicy::fixed("https://app.example").unwrap())
            .clock(WatchedClock::default())
            .revocation(
                Ended(count, Revoked::Session),
                RevocationPolicy::within(Duration::from_secs(60)).unwrap(),
            )
            .build()
            .unwrap();
        let mut service = AuthLayer::new(auth).layer(Plain);
        let request = request(Some(&format!("{cookie}={good}")));
        let cost = measure(|| {
            let mut response = std::pin::pin!(service.call(request));
            assert!(response.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        });
        let each = cost.bytes_current / i64::try_from(count).unwrap();
        assert!((36..=150).contains(&each), "{each} bytes for each of {count}: {cost:?}");
    }
}

/// Only where providers tell of logouts does each token have to be looked for under the names that those have, which are
/// hashed.
#[test]
fn s98_ends_of_other_users_cost_a_session_nothing() {
    let Tokens { cookie, good, .. } = tokens(Dialect::V4);
    let cookie = format!("{cookie}={good}");
    let cost_of = |ended: Ended| {
        let auth = Auth::builder(Secret::new(SECRET))
            .origin(OriginPolicy::fixed("https://app.example").unwrap())
            .clock(WatchedClock::default())
            .revocation(ended, RevocationPolicy::within(Duration::from_secs(60)).unwrap())
            .build()
            .unwrap();
        cost(AuthLayer::new(auth).layer(Plain), Some(&cookie)).count_total
    };
    let sessions = cost_of(Ended(1, Revoked::Session));
    assert_eq!(cost_of(Ended(1, Revoked::User)), sessions);
    let logout = |id| Revoked::User(format!("idp:{id}"));
    assert!(cost_of(Ended(1, logout)) > sessions, "it is looked for there");
}

/// S27: what is not there is not kept, neither in a cache nor behind it.
#[cfg(feature = "cache")]
#[test]
fn s27_a_million_made_up_ids_take_no_memory() {
    let store = Cached::new(MemoryStore::new(), Duration::from_secs(1000), 1000);
    let ask = |number: u32| {
        let key = SessionKey::new(format!("00000000-0000-4000-8000-{number:012}"));
        let mut answer = store.session_and_user(&key);
        let answer = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Ok(None))));
    };
    ask(0);
    let cost = measure(|| (1..=1_000_000).for_each(ask));
    assert_eq!(cost.bytes_current, 0, "{cost:?}");
    assert!(cost.count_total >= 1_000_000 && cost.bytes_max < 4096, "{cost:?}");
}
