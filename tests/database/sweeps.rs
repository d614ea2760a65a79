//! The job that removes what has expired: row S29 of `docs/security.md`.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portcullis::{
    Auth, Clock, Timestamp, User,
    store::{SessionKey, SessionStore, Store, StoredSession, UserStore, VerificationToken},
};
use tokio::sync::Semaphore;

use crate::{
    site::{Gate, HOUR, site},
    stores::on_each_store,
    support::{ManualClock, NOW, builder},
};

on_each_store![s29_many_sweep_at_once, s29_the_job_goes_on_until_it_is_dropped];

/// More than one batch of them.
async fn s29_many_sweep_at_once(store: Arc<dyn Store>) {
    const EXPIRED: i64 = 1_100;
    let user = store.create_user(&User::new(""), None).await.unwrap();
    let (over, later) = (Timestamp::from_secs(NOW), Timestamp::from_secs(NOW + 1));
    for number in 0..EXPIRED {
        let token = VerificationToken::new("pat@example.com", number.to_string(), over);
        store.create_verification_token(&token).await.unwrap();
    }
    for (name, end) in [("over", over), ("live", later)] {
        store.create_session(&StoredSession::new(SessionKey::new(name), &user.id, end), None).await.unwrap();
        store.create_verification_token(&VerificationToken::new(name, name, end)).await.unwrap();
    }
    let mut sweepers = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let auth = site(&store).1.build().unwrap();
        sweepers.spawn(async move { auth.sweep().await.unwrap() });
    }
    let removed: u64 = sweepers.join_all().await.into_iter().sum();
    // Each is counted by whoever removed it; a server that ends them by itself leaves fewer.
    assert!(removed <= EXPIRED as u64 + 2, "{removed}");
    let left = store.sessions_of(&user.id).await.unwrap();
    assert_eq!(left.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["live"]);
    for (number, is_there) in [("0", false), ("1099", false), ("live", true)] {
        let identifier = if is_there { "live" } else { "pat@example.com" };
        let found = store.use_verification_token(identifier, number).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{number}");
    }
}

/// Counts who waits on it for a quarter of an hour or more, and lets them go on when the test says so. Shorter times
/// are limits for the store, and never over.
#[derive(Debug, Clone, Default)]
struct Steps {
    asked: Arc<Mutex<Vec<Duration>>>,
    waiting: Arc<AtomicUsize>,
    steps: Arc<Permits>,
}

#[derive(Debug)]
struct Permits(Semaphore);

impl Default for Permits {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Clock for Steps {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW as u64)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if duration < HOUR / 4 {
            return Box::pin(std::future::pending());
        }
        self.asked.lock().unwrap().push(duration);
        let (waiter, steps) = (Waiter::new(&self.waiting), Arc::clone(&self.steps));
        Box::pin(async move {
            let _waiter = waiter;
            steps.0.acquire().await.unwrap().forget();
        })
    }
}

impl Steps {
    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Waits until so many have asked for their time, and so many of them still wait.
    async fn until(&self, asked: usize, waiting: usize) {
        let is = || self.asked.lock().unwrap().len() == asked && self.waiting() == waiting;
        let seen = tokio::time::timeout(Duration::from_secs(60), async {
            while !is() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        assert!(
            seen.await.is_ok(),
            "{} have asked, {} wait",
            self.asked.lock().unwrap().len(),
            self.waiting()
        );
    }

    fn step(&self) {
        self.steps.0.add_permits(1);
    }
}

/// One who waits, until it is dropped.
struct Waiter(Arc<AtomicUsize>);

impl Waiter {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn sweeping(store: &Arc<dyn Store>) -> (Auth, Steps) {
    let steps = Steps::default();
    let auth = builder(&ManualClock::at(NOW)).clock(steps.clone()).store(Arc::clone(store)).build().unwrap();
    (auth, steps)
}

async fn s29_the_job_goes_on_until_it_is_dropped(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let (auth, steps) = sweeping(&store);
    let user = store.create_user(&User::new(""), None).await.unwrap();
    let expired = |name| StoredSession::new(SessionKey::new(name), &user.id, Timestamp::from_secs(NOW));
    let is_there = async |name| store.session(&SessionKey::new(name)).await.unwrap().is_some();
    store.create_session(&expired("first"), None).await.unwrap();

    let sweep = auth.sweep_every(HOUR);
    steps.until(1, 1).await;
    gate.calls();
    steps.step();
    steps.until(2, 1).await;
    assert_eq!(gate.calls(), ["delete_expired_verification_tokens", "delete_expired_sessions"]);
    assert!(!is_there("first").await);
    // A store that fails does not end it.
    gate.fail();
    steps.step();
    steps.until(3, 1).await;
    gate.open();
    store.create_session(&expired("second"), None).await.unwrap();
    steps.step();
    steps.until(4, 1).await;
    assert!(!is_there("second").await);
    // Dropped while it waits.
    drop(sweep);
    steps.until(4, 0).await;
    // Dropped while the store hangs.
    let sweep = auth.sweep_every(HOUR);
    steps.until(5, 1).await;
    gate.calls();
    gate.hang();
    steps.step();
    while gate.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(sweep);
    gate.open();
    steps.until(5, 0).await;
}

fn memory() -> Arc<dyn Store> {
    Arc::new(portcullis::store::MemoryStore::new())
}

#[tokio::test]
async fn s29_the_job_ends_with_the_last_auth() {
    let store = memory();
    let (auth, steps) = sweeping(&store);
    let copy = auth.clone();
    let _sweep = auth.sweep_every(HOUR);
    steps.until(1, 1).await;
    drop(auth);
    steps.step();
    steps.until(2, 1).await;
    // It keeps nothing alive while it waits.
    drop(copy);
    assert_eq!(Arc::strong_count(&store), 1);
    steps.step();
    steps.until(2, 0).await;
}

#[test]
fn s29_the_job_ends_with_the_runtime() {
    let (auth, steps) = sweeping(&memory());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sweep = runtime.block_on(async {
        let sweep = auth.sweep_every(HOUR);
        steps.until(1, 1).await;
        sweep
    });
    drop(runtime);
    assert_eq!(steps.waiting(), 0);
    drop(sweep);
}

/// Instances that start together do not go on together.
#[tokio::test]
async fn s29_each_time_is_moved_a_little() {
    let (auth, steps) = sweeping(&memory());
    let _sweeps: Vec<_> = (0..50).map(|_| auth.sweep_every(HOUR)).collect();
    steps.until(50, 50).await;
    let mut asked = steps.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|time| (HOUR * 9 / 10..=HOUR * 11 / 10).contains(time)), "{asked:?}");
    asked.sort_unstable();
    asked.dedup();
    assert!(asked.len() > 25, "{asked:?}");
    assert!(asked[asked.len() - 1] - asked[0] > HOUR / 20, "{asked:?}");
}
