//! Sessions that live in tokens and are ended before they expire: rows S18, S23, S24, S25 and S27 of
//! `docs/security.md`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis::{
    Auth, RevocationPolicy, Timestamp,
    store::{MemoryStore, Result, Revocation, RevocationStore, StoreError},
};

use crate::{
    site::{COOKIE, act, browser},
    support::{ManualClock, NOW, builder},
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
