//! A cache in front of a store.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portcullis::{
    Clock, Timestamp, User,
    store::{
        Cached, MemoryStore, SessionKey, SessionStore, Store, StoreErrorKind, StoredSession, UserChange,
        UserStore,
    },
};
use uuid::Uuid;

use crate::{
    backend::{Backend, Everything},
    broken::{Broken, Fault},
};

pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "cached";

    async fn place() -> Option<String> {
        Some(String::new())
    }

    async fn open(_: &str) -> Arc<dyn Everything> {
        Arc::new(Cached::new(MemoryStore::new(), Duration::from_secs(3600), 1000))
    }
}

/// Stands where it is put.
#[derive(Debug, Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn at(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

async fn sign_in(store: &impl Store) -> StoredSession {
    let user = store.create_user(&User::new("").name("before"), None).await.unwrap();
    let key = SessionKey::of_token(&Uuid::new_v4().to_string());
    let session = StoredSession::new(key, user.id, Timestamp::from_secs(1_000_000));
    store.create_session(&session, None).await.unwrap();
    session
}

async fn name(store: &impl Store, key: &SessionKey) -> Option<String> {
    store.session_and_user(key).await.unwrap().and_then(|found| found.user.name.clone())
}

/// S27: what others write is seen once the bound is over, and not long after.
#[tokio::test]
async fn s27_nothing_is_older_than_the_bound() {
    let (behind, clock) = (Arc::new(Broken::new(Fault::None)), Hand::default());
    let store = Cached::new(behind.clone(), Duration::from_secs(10), 100).clock(clock.clone());
    let session = sign_in(&behind).await;
    clock.at(100);
    assert_eq!(name(&store, &session.key).await.as_deref(), Some("before"));
    behind.delete_user(&session.user_id).await.unwrap();
    clock.at(109);
    assert_eq!(name(&store, &session.key).await.as_deref(), Some("before"), "it was kept");
    for now in [110, 99] {
        clock.at(now);
        assert_eq!(name(&store, &session.key).await, None, "at {now}");
    }
}

/// S27: without the store there is no answer that is older than the bound, also after a step of the clock.
#[tokio::test]
async fn s27_a_fault_is_answered_once_the_bound_is_over() {
    for late in [110, 99] {
        let (behind, clock) = (Arc::new(Broken::new(Fault::None)), Hand::default());
        let store = Cached::new(behind.clone(), Duration::from_secs(10), 100).clock(clock.clone());
        let session = sign_in(&store).await;
        clock.at(100);
        assert!(name(&store, &session.key).await.is_some());
        behind.down.store(true, Ordering::SeqCst);
        clock.at(109);
        clock.at(100);
        assert!(name(&store, &session.key).await.is_some());
        clock.at(late);
        let error = store.session_and_user(&session.key).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
}

/// S27: what it says without waiting is as old as what it says after that, and no older.
#[tokio::test]
async fn s27_what_is_known_now_is_within_the_bound() {
    let clock = Hand::default();
    let store = Cached::new(MemoryStore::new(), Duration::from_secs(10), 100).clock(clock.clone());
    let session = sign_in(&store).await;
    clock.at(100);
    assert!(store.session_and_user_now(&session.key).is_pending(), "nobody has asked");
    assert!(name(&store, &session.key).await.is_some());
    for (now, known) in [(109, true), (110, false), (99, false), (100, true)] {
        clock.at(now);
        assert_eq!(store.session_and_user_now(&session.key).is_ready(), known, "at {now}");
    }
    store.end_session(&session.key).await.unwrap();
    assert!(store.session_and_user_now(&session.key).is_pending(), "it has ended");
}

/// S21, S24: a read that was under way while the session ended does not bring it back afterwards.
#[tokio::test]
async fn s21_a_slow_reader_keeps_nothing_that_has_ended() {
    for end in 0..5 {
        let behind = Arc::new(Broken::new(Fault::AnswersLate));
        let store = Arc::new(Cached::new(behind.clone(), Duration::from_secs(1000), 100));
        let session = sign_in(&*store).await;
        let slow = tokio::spawn({
            let (store, key) = (store.clone(), session.key.clone());
            async move { store.session_and_user(&key).await.unwrap().is_some() }
        });
        behind.late.0.notified().await;
        let user_id = &session.user_id;
        match end {
            0 => drop(store.end_session(&session.key).await.unwrap()),
            1 => drop(store.end_sessions_of(user_id, None).await.unwrap()),
            2 => drop(store.delete_user(user_id).await.unwrap()),
            3 => {
                let other = StoredSession::new(SessionKey::new("other"), user_id, session.expires);
                store.create_session(&other, std::num::NonZeroUsize::new(1)).await.unwrap();
            }
            _ => {
                let now = Timestamp::from_secs(1_000_001);
                assert_eq!(store.delete_expired_sessions(now, 10).await.unwrap(), 1);
            }
        }
        behind.late.1.notify_one();
        assert!(slow.await.unwrap(), "it was read before");
        behind.late.1.notify_one();
        assert!(store.session_and_user(&session.key).await.unwrap().is_none(), "by way {end} it came back");
    }
}

/// Whether a write that failed was made nobody knows, so nothing is kept.
#[tokio::test]
async fn s88_a_failed_write_is_a_write() {
    let behind = Arc::new(MemoryStore::new());
    let store = Cached::new(behind.clone(), Duration::from_secs(1000), 100);
    store.create_user(&User::new("").email("taken"), None).await.unwrap();
    let session = sign_in(&store).await;
    assert!(name(&store, &session.key).await.is_some());
    behind.end_session(&session.key).await.unwrap();
    assert!(name(&store, &session.key).await.is_some(), "it was kept");
    let mut change = UserChange::default();
    change.email = Some("taken".to_owned());
    store.update_user(&session.user_id, change).await.unwrap_err();
    assert!(name(&store, &session.key).await.is_none());
}

/// S27: neither many sessions nor made-up keys nor large ones take more memory than agreed.
#[tokio::test]
async fn s27_it_is_bounded() {
    let store = Cached::new(MemoryStore::new(), Duration::from_secs(1000), 100);
    for number in 0..10_000 {
        let key = SessionKey::of_token(&number.to_string());
        assert!(store.session_and_user(&key).await.unwrap().is_none());
    }
    assert_eq!(sessions(&store), 0, "what is not there is not kept");
    for _ in 0..1000 {
        let session = sign_in(&store).await;
        store.session_and_user(&session.key).await.unwrap();
    }
    assert!((20..=100).contains(&sessions(&store)), "{store:?}");
    for _ in 0..1000 {
        let mut session = sign_in(&store).await;
        session.data.insert("large".to_owned(), "x".repeat(40_000).into());
        store.replace_session_data(&session.key, 0, &session.data).await.unwrap();
        store.session_and_user(&session.key).await.unwrap();
    }
    assert!(sessions(&store) <= 100, "{store:?}");
}

fn sessions(store: &Cached<MemoryStore>) -> usize {
    let shown = format!("{store:?}");
    let (_, count) = shown.rsplit_once("sessions: ").unwrap();
    count.split(',').next().unwrap().parse().unwrap()
}
