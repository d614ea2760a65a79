//! Sessions that live in tokens and are ended before they expire: rows S18, S23, S24, S25 and S27 of
//! `docs/security.md`.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, Claims, RevocationPolicy, Timestamp, get_token,
    store::{MemoryStore, Result, Revocation, RevocationStore, StoreError},
};

use tower::{Layer, service_fn};

use crate::{
    site::{COOKIE, act, browser},
    support::{Browser, DAY, ManualClock, NOW, app, builder},
};

const BOUND: Duration = Duration::from_secs(10);

/// Counts the reads, and fails when it is told to.
#[derive(Debug, Clone, Default)]
struct Counted {
    store: Arc<MemoryStore>,
    reads: Arc<AtomicUsize>,
    shut: Arc<AtomicBool>,
}

impl Counted {
    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::SeqCst)
    }

    fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::SeqCst);
    }

    fn pass(&self) -> Result<()> {
        if self.shut.load(Ordering::SeqCst) { Err(StoreError::unavailable("shut")) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl RevocationStore for Counted {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        self.pass()?;
        self.store.revoke(revocation).await
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.pass()?;
        self.store.revocations(since).await
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.store.delete_expired_revocations(now, limit).await
    }
}

fn process(clock: &ManualClock, store: &Counted, policy: RevocationPolicy) -> Auth {
    builder(clock).revocation(store.clone(), policy).build().unwrap()
}

fn closed() -> RevocationPolicy {
    RevocationPolicy::within(BOUND).unwrap()
}

#[tokio::test]
async fn s23_a_copied_token_is_dead_after_the_sign_out() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let (here, there) = (process(&clock, &store, closed()), process(&clock, &store, closed()));
    let mut owner = browser(&here);
    owner.sign_in("jsmith", "hunter2").await;
    // Copies of different ages: each read of the session makes a new token.
    let mut first = owner.jar.clone();
    clock.advance(Duration::from_secs(1));
    owner.session().await;
    let second = owner.jar.clone();
    assert_ne!(first[COOKIE], second[COOKIE]);
    let thief = async |auth: &Auth, cookie: &str| browser(auth).with_cookie(COOKIE, cookie).who().await;
    assert_eq!(thief(&there, &second[COOKIE]).await, "1");
    owner.sign_out().await;
    for copy in [&first[COOKIE], &second[COOKIE]] {
        assert_eq!(thief(&here, copy).await, "nobody", "at once where it was said");
    }
    clock.advance(BOUND);
    for copy in [&first[COOKIE], &second[COOKIE]] {
        assert_eq!(thief(&there, copy).await, "nobody", "within the bound everywhere else");
    }
    // S18: who signs in again leaves no token behind either.
    owner.sign_in("jsmith", "hunter2").await;
    first = owner.jar.clone();
    owner.sign_in("jsmith", "hunter2").await;
    assert_eq!(thief(&here, &first[COOKIE]).await, "nobody");
    assert_eq!(owner.who().await, "1");
}

#[tokio::test]
async fn s27_one_read_per_bound_and_process() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let auth = process(&clock, &store, closed());
    let mut browsers = [browser(&auth), browser(&auth)];
    for browser in &mut browsers {
        browser.sign_in("jsmith", "hunter2").await;
    }
    store.reads();
    for _ in 0..100 {
        for browser in &mut browsers {
            assert_eq!(browser.who().await, "1");
        }
    }
    assert!(store.reads() <= 1);
    clock.advance(BOUND);
    for browser in &mut browsers {
        browser.who().await;
    }
    assert_eq!(store.reads(), 1);
    // Visitors cost none.
    clock.advance(BOUND);
    browser(&auth).who().await;
    assert_eq!(store.reads(), 0);
}

#[tokio::test]
async fn s27_fails_closed_unless_told_otherwise() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let strict = process(&clock, &store, closed());
    let lenient = process(&clock, &store, closed().fail_open());
    let mut owner = browser(&strict);
    owner.sign_in("jsmith", "hunter2").await;
    let jar = owner.jar.clone();
    let mut elsewhere = browser(&lenient).with_cookie(COOKIE, &jar[COOKIE]);
    assert_eq!([owner.who().await, elsewhere.who().await], ["1", "1"]);

    store.shut(true);
    clock.advance(BOUND - Duration::from_secs(1));
    assert_eq!([owner.who().await, elsewhere.who().await], ["1", "1"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!([owner.who().await, elsewhere.who().await], ["SessionUnavailable", "1"]);
    // Nobody is signed out, and nobody is told that they are.
    assert_eq!(owner.sign_out().await.status, 503);
    assert_eq!(owner.jar[COOKIE], jar[COOKIE]);
    // A store that is down is not asked for each request.
    store.reads();
    for _ in 0..50 {
        owner.who().await;
    }
    assert!(store.reads() <= 1);

    store.shut(false);
    clock.advance(Duration::from_secs(1));
    assert_eq!(owner.who().await, "1");
}

/// S24 and S25.
#[tokio::test]
async fn s25_the_sessions_of_a_user_end_by_epoch() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let (here, there) = (process(&clock, &store, closed()), process(&clock, &store, closed()));
    let (mut mine, mut copy, mut other) = (browser(&here), browser(&here), browser(&here));
    mine.sign_in("jsmith", "hunter2").await;
    copy.sign_in("jsmith", "hunter2").await;
    other.sign_in("admin", "hunter2").await;
    clock.advance(Duration::from_secs(60));
    act(&here, &mut mine, async |context| context.end_other_sessions().await.unwrap()).await;
    assert_eq!([mine.who().await, copy.who().await, other.who().await], ["1", "nobody", "2"]);
    // It stays so, however often the one that was kept is renewed, and elsewhere.
    clock.advance(BOUND);
    mine.session().await;
    let mut elsewhere = browser(&there).with_cookie(COOKIE, &mine.jar[COOKIE]);
    assert_eq!(elsewhere.who().await, "1");
    assert_eq!(browser(&there).with_cookie(COOKIE, &copy.jar[COOKIE]).who().await, "nobody");
    // All of them: and who signs in in the same second is in again.
    here.end_sessions_of("1").await.unwrap();
    assert_eq!(mine.who().await, "nobody");
    mine.sign_in("jsmith", "hunter2").await;
    assert_eq!(mine.who().await, "1");
    // And out again, still in the same second.
    here.end_sessions_of("1").await.unwrap();
    assert_eq!(mine.who().await, "nobody");
    other.sign_in("admin", "hunter2").await;
    here.end_sessions_of("2").await.unwrap();
    assert_eq!(other.who().await, "nobody");
}

#[tokio::test]
async fn s18_a_new_token_revokes_the_old_one() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let auth = process(&clock, &store, closed());
    let mut owner = browser(&auth);
    owner.sign_in("jsmith", "hunter2").await;
    let before = owner.jar[COOKIE].clone();
    act(&auth, &mut owner, async |context| context.renew_id().await.unwrap()).await;
    assert_eq!(owner.who().await, "1");
    assert_eq!(browser(&auth).with_cookie(COOKIE, &before).who().await, "nobody");
}

#[tokio::test]
async fn what_nothing_keeps_cannot_be_revoked() {
    let clock = ManualClock::at(NOW);
    let auth = builder(&clock).build().unwrap();
    let mut owner = browser(&auth);
    owner.sign_in("jsmith", "hunter2").await;
    assert!(act(&auth, &mut owner, async |context| context.end_other_sessions().await.is_err()).await);
    assert!(auth.end_sessions_of("1").await.is_err());
    assert!(auth.delete_user("1").await.is_err());
    assert_eq!(owner.who().await, "1");
}

/// S23: a token that is renewed where the sign-out is not known yet, whatever it is made into there.
#[tokio::test]
async fn s23_a_stale_process_delays_an_end_and_does_not_undo_it() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let (here, there) = (process(&clock, &store, closed()), process(&clock, &store, closed()));
    let mut owner = browser(&here);
    owner.sign_in("jsmith", "hunter2").await;
    let [mut first, mut second] = [(); 2].map(|()| browser(&there).with_cookie(COOKIE, &owner.jar[COOKIE]));
    assert_eq!([first.who().await, second.who().await], ["1", "1"]);
    clock.advance(Duration::from_secs(1));
    owner.sign_out().await;
    clock.advance(Duration::from_secs(5));
    // Renewed within the bound: it lives longer than the token that was revoked, and so does the revocation.
    first.session().await;
    assert_eq!(first.who().await, "1");
    // A new id, or an exception from an epoch, is not given by a list that may be old.
    let _ = act(&there, &mut second, async |context| context.renew_id().await).await;
    assert_eq!(second.who().await, "nobody");
    clock.advance(BOUND);
    assert_eq!(first.who().await, "nobody");
    here.sweep().await.unwrap();
    clock.advance(30 * DAY - Duration::from_secs(15));
    here.sweep().await.unwrap();
    for auth in [&here, &there] {
        assert_eq!(browser(auth).with_cookie(COOKIE, &first.jar[COOKIE]).who().await, "nobody");
    }
}

/// S25.
#[tokio::test]
async fn s25_who_was_ended_elsewhere_keeps_nothing_by_ending_others() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let (here, there) = (process(&clock, &store, closed()), process(&clock, &store, closed()));
    let mut owner = browser(&here);
    owner.sign_in("jsmith", "hunter2").await;
    clock.advance(Duration::from_secs(60));
    let mut thief = browser(&there).with_cookie(COOKIE, &owner.jar[COOKIE]);
    assert_eq!(thief.who().await, "1");
    clock.advance(Duration::from_secs(1));
    here.end_sessions_of("1").await.unwrap();
    clock.advance(Duration::from_secs(2));
    act(&there, &mut thief, async |context| context.end_other_sessions().await.unwrap()).await;
    assert!(!thief.jar.contains_key(COOKIE));
    // While the list cannot be read, nothing is given either.
    owner.sign_in("jsmith", "hunter2").await;
    store.shut(true);
    assert!(act(&here, &mut owner, async |context| context.end_other_sessions().await.is_err()).await);
    assert!(act(&here, &mut owner, async |context| context.renew_id().await.is_err()).await);
}

/// S23: tokens of Node, and of the time before revocations were kept, have no `sid`.
#[tokio::test]
async fn s23_all_copies_of_a_token_without_sid_are_ended() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let node = builder(&clock).build().unwrap();
    let here = process(&clock, &store, closed());
    let mut owner = browser(&node);
    owner.sign_in("jsmith", "hunter2").await;
    let mut copies = vec![owner.jar[COOKIE].clone()];
    let mut owner = browser(&here).with_cookie(COOKIE, &copies[0]);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(1));
        owner.session().await;
        copies.push(owner.jar[COOKIE].clone());
    }
    owner.sign_out().await;
    for copy in &copies {
        assert_eq!(browser(&here).with_cookie(COOKIE, copy).who().await, "nobody");
    }
}

/// Never answers.
#[derive(Debug)]
struct Hanging(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl RevocationStore for Hanging {
    async fn revoke(&self, _: &Revocation) -> Result<()> {
        std::future::pending().await
    }

    async fn revocations(&self, _: Timestamp) -> Result<Vec<Revocation>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn delete_expired_revocations(&self, _: Timestamp, _: u32) -> Result<u64> {
        std::future::pending().await
    }
}

/// S27: a store that hangs holds nobody for longer than its time limit, however many wait.
#[tokio::test(start_paused = true)]
async fn s27_a_list_that_hangs_is_waited_for_once() {
    let clock = ManualClock::at(NOW);
    let reads = Arc::new(AtomicUsize::new(0));
    let limit = Duration::from_secs(2);
    let auth = builder(&clock).clock(crate::site::Waiting(clock.clone())).store_time_limit(limit);
    let auth = auth.revocation(Hanging(Arc::clone(&reads)), closed()).build().unwrap();
    let mut signing_in = builder(&clock).build().map(|auth| browser(&auth)).unwrap();
    signing_in.sign_in("jsmith", "hunter2").await;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..20 {
        let mut visitor = browser(&auth).with_cookie(COOKIE, &signing_in.jar[COOKIE]);
        let clock = clock.clone();
        requests.spawn(async move {
            tokio::time::sleep(Duration::from_millis(700 * number)).await;
            clock.advance(Duration::from_secs(1));
            let begun = tokio::time::Instant::now();
            assert_eq!(visitor.who().await, "SessionUnavailable");
            begun.elapsed()
        });
    }
    while let Some(waited) = requests.join_next().await {
        let waited = waited.unwrap();
        assert!(waited <= limit + Duration::from_millis(100), "{waited:?}");
    }
    assert!(reads.load(Ordering::SeqCst) > 1);
}

/// S27: a service that reads `Authorization` has no cookies to bring the list up to date.
#[tokio::test]
async fn s27_bearer_tokens_alone_keep_the_list_up_to_date() {
    let (clock, store) = (ManualClock::at(NOW), Counted::default());
    let auth = process(&clock, &store, closed());
    let lenient = process(&clock, &store, closed().fail_open());
    let mut owner = browser(&auth);
    owner.sign_in("jsmith", "hunter2").await;
    let bearer = format!("Bearer {}", owner.jar[COOKIE]);
    let ask = async |auth: &Auth| {
        let said = Arc::new(Mutex::new(String::new()));
        let slot = Arc::clone(&said);
        let asking =
            app(AuthLayer::new(auth.clone()).layer(service_fn(move |request: Request<Full<Bytes>>| {
                *slot.lock().unwrap() = match get_token::<Claims>(&request) {
                    Ok(Some(token)) => token.subject().unwrap().into_owned(),
                    Ok(None) => "nobody".to_owned(),
                    Err(error) => error.code().to_owned(),
                };
                std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))))
            })));
        Browser::new(asking).with_header("authorization", &bearer).get("/").await;
        said.lock().unwrap().clone()
    };
    for _ in 0..3 {
        assert_eq!([ask(&auth).await, ask(&lenient).await], ["1", "1"]);
        clock.advance(BOUND);
    }
    store.shut(true);
    assert_eq!([ask(&auth).await, ask(&lenient).await], ["SessionUnavailable", "1"]);
    store.shut(false);
    clock.advance(Duration::from_secs(1));
    owner.sign_out().await;
    clock.advance(BOUND);
    assert_eq!([ask(&auth).await, ask(&lenient).await], ["nobody", "nobody"]);
}
