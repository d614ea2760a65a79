use std::{
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::*;
use crate::{
    store::{
        Replaced, Revocation, RevocationStore, SessionStore, StoreErrorKind, StoredSession, UserStore,
        VerificationToken, VerificationTokenStore,
    },
    user::Account,
};

/// Nothing in the memory store waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

fn store(capacity: usize) -> MemoryStore {
    MemoryStore::with_capacity(NonZeroUsize::new(capacity).unwrap())
}

fn key(number: u64) -> SessionKey {
    SessionKey::of_token(&number.to_string())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds.try_into().unwrap())
}

fn session(number: u64, user_id: &str, expires: u64) -> StoredSession {
    StoredSession::new(key(number), user_id, at(expires))
}

impl MemoryStore {
    /// Everything that stands in several places says the same.
    fn check_books(&self) {
        let books = lock(&self.books);
        let begun: usize = books.begun.values().map(std::collections::BTreeMap::len).sum();
        assert_eq!((self.sessions.len(), self.users.len()), (begun, books.people.len()));
        assert_eq!(books.ends.len(), begun);
        let busy = books.people.keys().filter(|id| books.begun.contains_key(*id)).count();
        assert_eq!(busy + books.idle.len(), books.people.len());
        let accounts: usize = books.people.values().map(|person| person.accounts.len()).sum();
        let found: usize = books.accounts.values().map(std::collections::HashMap::len).sum();
        assert_eq!(accounts, found);
        assert!(books.emails.len() <= books.people.len());
        assert!(begun <= self.capacity && books.people.len() <= self.capacity);
    }
}

#[test]
fn a_full_store_ends_what_has_expired_and_then_what_ends_first() {
    let store = store(3);
    for (number, expires) in [(1, 500), (2, 100), (3, 300)] {
        now(store.create_session(&session(number, "1", expires), None)).unwrap();
    }
    assert!(now(store.extend_session(&key(2), at(400), at(90))).unwrap());
    now(store.create_session(&session(4, "1", 200), None)).unwrap();
    assert!(now(store.session(&key(3))).unwrap().is_none(), "2 ends later than 3 by now");
    now(store.create_session(&session(5, "1", 100), None)).unwrap();
    assert!(now(store.session(&key(4))).unwrap().is_none());
    assert!(now(store.session(&key(5))).unwrap().is_some(), "the new one is in, however soon it ends");
    store.check_books();
}

/// A flood of sign-ins: users, accounts, sessions and tokens stay within the capacity.
#[test]
fn s96_a_flood_of_sign_ins_takes_no_more_memory_than_agreed() {
    let store = store(100);
    for number in 0..5_000_u64 {
        let user = User::new("").email(format!("{number}@example.com"));
        let account = Account::new("oauth", "github", number.to_string());
        let user = now(store.create_user(&user, Some(&account))).unwrap();
        if !number.is_multiple_of(3) {
            now(store.create_session(&session(number, &user.id, number), None)).unwrap();
            assert!(now(store.session_and_user(&key(number))).unwrap().is_some(), "{number}");
        }
        let token = VerificationToken::new(format!("{number}@example.com"), "hash", at(number));
        now(store.create_verification_token(&token)).unwrap();
    }
    store.check_books();
    assert_eq!(store.users.len(), 100);
    assert_eq!(lock(&store.tokens).len(), 100);
}

/// Users without a session go before users with one; of those, the one who is out of sessions first.
#[test]
fn users_without_a_session_are_forgotten_first() {
    let store = store(2);
    let busy = now(store.create_user(&User::new("").email("busy"), None)).unwrap();
    now(store.create_session(&session(1, &busy.id, 100), None)).unwrap();
    let idle = now(store.create_user(&User::new("").email("idle"), None)).unwrap();
    now(store.create_user(&User::new(""), None)).unwrap();
    assert!(now(store.user(&idle.id)).unwrap().is_none());
    assert!(now(store.user(&busy.id)).unwrap().is_some());
    assert!(now(store.user_by_email("idle")).unwrap().is_none());
    store.check_books();
}

/// S21: a revocation that is still needed is not dropped for another.
#[test]
fn s21_a_full_store_forgets_no_revocation() {
    let store = store(2);
    let revoke = |number: u64, made, expires| {
        let subject = Revoked::Session(number.to_string());
        now(store.revoke(&Revocation::new(subject, at(made), at(expires))))
    };
    revoke(1, 10, 100).unwrap();
    revoke(2, 10, 200).unwrap();
    assert_eq!(revoke(3, 20, 300).unwrap_err().kind(), StoreErrorKind::Unavailable);
    revoke(1, 20, 90).unwrap();
    revoke(3, 100, 300).unwrap();
    let mut kept: Vec<_> =
        now(store.revocations(at(0))).unwrap().into_iter().map(|kept| kept.expires.as_secs()).collect();
    kept.sort_unstable();
    assert_eq!(kept, [200, 300]);
}

/// Seconds, as the test says.
#[derive(Debug, Clone, Default)]
struct Seconds(Arc<AtomicU64>);

impl Clock for Seconds {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// S30, S58: what was used stays used, however many others are: states, attempts at codes, the right to refresh, mails
/// that were sent, and logouts. A flood of one kind leaves room for the others: anybody can use states up.
#[test]
fn s30_s58_a_full_store_forgets_nothing_that_was_used() {
    let clock = Seconds::default();
    let store = store(2).clock(clock.clone());
    let take = |identifier: &str, token: &str, expires| {
        let made =
            now(store.create_verification_token(&VerificationToken::new(identifier, token, at(expires))));
        made.map_err(|error| error.kind())
    };
    let (taken, full) = (Err(StoreErrorKind::Conflict), Err(StoreErrorKind::Unavailable));
    let kinds =
        ["oauth-state", "email-code", "provider-token", "email-limit", "oauth-logout", "of an application"];
    for flooded in kinds {
        clock.0.store(100, Ordering::SeqCst);
        assert_eq!(take(flooded, "soon", 200), Ok(()), "{flooded}");
        assert_eq!(take(flooded, "late", 300), Ok(()), "{flooded}");
        assert_eq!(take(flooded, "more", 400), full, "{flooded}");
        assert_eq!(take(flooded, "soon", 200), taken, "{flooded}");
        for other in kinds.into_iter().filter(|other| *other != flooded) {
            assert_eq!(take(other, "soon", 200), Ok(()), "{other}, while {flooded} is full");
            assert_eq!(take(other, "soon", 200), taken, "{other}, while {flooded} is full");
        }
        // A link that is gone signs nobody in, so the next one has its place.
        for link in 0..5 {
            assert_eq!(take("pat@example.com", &link.to_string(), 500 + link), Ok(()));
        }
        assert_eq!(take(flooded, "soon", 200), taken, "{flooded}");
        clock.0.store(301, Ordering::SeqCst);
        assert_eq!(take(flooded, "more", 400), Ok(()), "some have ended");
        assert_eq!(take(flooded, "more", 400), taken);
        assert!(now(store.delete_expired_verification_tokens(at(1_000), u32::MAX)).unwrap() > 0);
        assert_eq!(lock(&store.tokens).len(), 0);
    }
}

#[test]
fn sweeping_takes_no_more_than_it_was_told() {
    let store = store(2_000);
    for number in 0..2_000 {
        now(store.create_session(&session(number, "1", number), None)).unwrap();
    }
    assert_eq!(now(store.delete_expired_sessions(at(999), 300)).unwrap(), 300);
    assert_eq!(now(store.delete_expired_sessions(at(999), 5_000)).unwrap(), 700);
    assert_eq!(now(store.delete_expired_sessions(at(999), 5_000)).unwrap(), 0);
    assert!(now(store.session(&key(1_000))).unwrap().is_some());
    store.check_books();
}

/// Threads that do everything at once, over few users and keys, in a store that is always full.
#[test]
fn what_stands_in_several_places_agrees_whoever_writes() {
    let store = store(40);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let store = &store;
            scope.spawn(move || {
                let mut user_id = String::new();
                for step in 0..2_000_u64 {
                    let number = (step * 7 + thread * 13) % 64;
                    match step % 8 {
                        0 => {
                            let account = Account::new("oauth", "github", (number % 16).to_string());
                            if let Ok(user) = now(store.create_user(&User::new(""), Some(&account))) {
                                user_id = user.id;
                            }
                        }
                        1..=3 => {
                            let limit = NonZeroUsize::new(usize::try_from(number % 4).unwrap());
                            drop(now(store.create_session(&session(number, &user_id, step), limit)));
                        }
                        4 => drop(now(store.extend_session(&key(number), at(step * 2), at(step)))),
                        5 => drop(now(store.unlink_account("github", &(number % 16).to_string()))),
                        6 => drop(now(store.delete_user(&user_id))),
                        _ => drop(now(store.delete_expired_sessions(at(step), 3))),
                    }
                }
            });
        }
    });
    store.check_books();
}

/// Reading a session and its user copies no text.
#[test]
fn a_session_and_its_user_are_shared_not_copied() {
    let store = store(2);
    let user = now(store.create_user(&User::new(""), None)).unwrap();
    now(store.create_session(&session(1, &user.id, 1), None)).unwrap();
    let [one, other] = [(); 2].map(|()| now(store.session_and_user(&key(1))).unwrap().unwrap());
    assert!(Arc::ptr_eq(&one.session, &other.session) && Arc::ptr_eq(&one.user, &other.user));
    // What a reader holds does not change under them.
    assert_eq!(now(store.replace_session_data(&key(1), 0, &serde_json::Map::new())).unwrap(), Replaced::Done);
    assert_eq!((one.session.version, other.session.version), (0, 0));
}

/// After a panic while a lock was held, the store goes on.
#[test]
fn a_panic_elsewhere_is_no_panic_here() {
    let store = store(2);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _write = store.write();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(now(store.create_user(&User::new(""), None)).is_ok());
}

#[test]
fn shows_how_full_it_is_and_nothing_else() {
    assert_eq!(format!("{:?}", store(2)), "MemoryStore { capacity: 2, sessions: 0, users: 0, .. }");
}
