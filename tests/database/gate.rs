//! A gate in front of a store.

use std::{
    future::{Future, pending},
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use portcullis::{
    Account, ProviderTokens, Timestamp, User,
    store::{
        Replaced, Result, SessionAndUser, SessionKey, SessionStore, Store, StoreError, StoredSession,
        UserChange, UserStore, VerificationToken, VerificationTokenStore,
    },
};
use serde_json::{Map, Value};
use tokio::task::yield_now;

/// A store that can be told to fail, or to hang, and counts its calls.
#[derive(Debug, Clone)]
pub struct Gate {
    store: Arc<dyn Store>,
    state: Arc<AtomicU8>,
    /// How many calls go through before it shuts.
    left: Arc<AtomicUsize>,
    /// Whether nothing is ready at once: a call waits before the store is asked, and with its answer.
    pauses: bool,
    /// Calls that fail even while it is open.
    refused: &'static [&'static str],
    calls: Arc<Mutex<Vec<&'static str>>>,
}

const OPEN: u8 = 0;
const FAILING: u8 = 1;
const HANGING: u8 = 2;
const LOSING: u8 = 3;

/// How a store goes away at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Before it has done anything.
    Before,
    /// When it has done what it was asked for, and nobody hears of it.
    After,
}

impl Gate {
    pub fn new(store: Arc<dyn Store>) -> Self {
        let state = Arc::new(AtomicU8::new(OPEN));
        Self { store, state, left: Arc::default(), pauses: false, refused: &[], calls: Arc::default() }
    }

    /// One at which each call can be given up before it is made and after.
    pub fn pausing(store: &Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Self { pauses: true, ..Self::new(Arc::clone(store)) })
    }

    /// One at which these calls always fail, before the store is asked.
    pub fn refusing(store: &Arc<dyn Store>, refused: &'static [&'static str]) -> Arc<dyn Store> {
        Arc::new(Self { refused, ..Self::new(Arc::clone(store)) })
    }

    pub fn open(&self) {
        self.state.store(OPEN, Ordering::SeqCst);
    }

    pub fn fail(&self) {
        self.state.store(FAILING, Ordering::SeqCst);
    }

    pub fn hang(&self) {
        self.state.store(HANGING, Ordering::SeqCst);
    }

    /// Lets so many calls through, goes away at the next one, and does not come back before it is opened.
    pub fn crash(&self, after: usize, crash: Crash) {
        self.left.store(after, Ordering::SeqCst);
        self.state.store(if crash == Crash::Before { FAILING } else { LOSING }, Ordering::SeqCst);
    }

    /// The calls since this was last asked.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    async fn pass<T>(&self, name: &'static str, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.calls.lock().unwrap().push(name);
        if self.refused.contains(&name) {
            return Err(StoreError::unavailable("the gate refuses such calls"));
        }
        let state = self.state.load(Ordering::SeqCst);
        if state == OPEN || self.left.fetch_update(SEQ, SEQ, |left| left.checked_sub(1)).is_ok() {
            self.pause().await;
            let answer = call.await;
            self.pause().await;
            return answer;
        }
        if state == HANGING {
            return pending().await;
        }
        if self.state.swap(FAILING, Ordering::SeqCst) == LOSING {
            drop(call.await);
        }
        Err(StoreError::unavailable("the gate is shut"))
    }

    async fn pause(&self) {
        if self.pauses {
            yield_now().await;
        }
    }
}

const SEQ: Ordering = Ordering::SeqCst;

/// Each method asks the gate, and then the store.
macro_rules! gated {
    ($trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[async_trait::async_trait]
        impl $trait for Gate {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer> {
                self.pass(stringify!($name), self.store.$name($($arg),*)).await
            })*
        }
    };
}

gated!(UserStore {
    fn create_user(user: &User, account: Option<&Account>) -> User;
    fn user(id: &str) -> Option<User>;
    fn user_by_email(email: &str) -> Option<User>;
    fn user_by_account(provider: &str, id: &str) -> Option<User>;
    fn update_user(id: &str, change: UserChange) -> Option<User>;
    fn delete_user(id: &str) -> bool;
    fn link_account(user_id: &str, account: &Account) -> ();
    fn unlink_account(provider: &str, id: &str) -> bool;
    fn replace_tokens(provider: &str, id: &str, before: &ProviderTokens, after: &ProviderTokens) -> bool;
    fn accounts_of(user_id: &str) -> Vec<Account>;
});
gated!(SessionStore {
    fn create_session(session: &StoredSession, limit: Option<NonZeroUsize>) -> ();
    fn session(key: &SessionKey) -> Option<StoredSession>;
    fn extend_session(key: &SessionKey, expires: Timestamp, seen: Timestamp) -> bool;
    fn replace_session_data(key: &SessionKey, version: u64, data: &Map<String, Value>) -> Replaced;
    fn end_session(key: &SessionKey) -> bool;
    fn sessions_of(user_id: &str) -> Vec<StoredSession>;
    fn end_sessions_of(user_id: &str, keep: Option<&SessionKey>) -> u64;
    fn delete_expired_sessions(now: Timestamp, limit: u32) -> u64;
});
gated!(VerificationTokenStore {
    fn create_verification_token(token: &VerificationToken) -> ();
    fn use_verification_token(identifier: &str, token: &str) -> Option<VerificationToken>;
    fn delete_expired_verification_tokens(now: Timestamp, limit: u32) -> u64;
});
gated!(Store {
    fn session_and_user(key: &SessionKey) -> Option<SessionAndUser>;
});
