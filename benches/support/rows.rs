//! Sessions as rows of a store, and the cookies that name them.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{HeaderMap, HeaderValue, header::COOKIE};
use portcullis::{
    Auth, AuthBuilder, Clock, OriginPolicy, SystemClock, Timestamp, User,
    store::{MemoryStore, SessionKey, SessionStore, StoredSession, UserStore},
};

use super::{
    Run,
    stacks::{Front, Stack, run_with},
    tokens::{Format, secret, with_session},
};

/// What is in the cookie of the session with this number: 43 characters, as the crate makes them.
pub fn token(number: usize) -> String {
    SessionKey::of_token(&number.to_string()).as_str().to_owned()
}

/// What a browser with that session sends.
pub fn headers(number: usize) -> HeaderMap {
    let cookies = with_session(Format::V4, &token(number));
    HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(cookies).unwrap())])
}

pub fn auth() -> AuthBuilder {
    Auth::builder(secret()).origin(OriginPolicy::fixed("https://app.example").unwrap())
}

/// Somebody as a sign-in with a third party leaves them.
pub fn user(number: usize) -> User {
    User::new("")
        .name("J Smith")
        .email(format!("jsmith-{number}@example.com"))
        .image("https://cdn.example/u/1.png")
}

/// A session as the crate makes one at a sign-in.
pub fn session(number: usize, user_id: &str, life: Life) -> StoredSession {
    let mut session = StoredSession::new(SessionKey::of_token(&token(number)), user_id, life.end());
    session.created = Some(life.beginning());
    session.last_seen = session.created;
    session
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Live,
    Expired,
}

const MONTH: i64 = 30 * 24 * 60 * 60;

impl Life {
    /// Live ones are fresh, so that no read extends them.
    pub fn beginning(self) -> Timestamp {
        let now = Timestamp::from(SystemClock.now()).as_secs();
        Timestamp::from_secs(if self == Self::Live { now } else { now - 2 * MONTH })
    }

    pub fn end(self) -> Timestamp {
        Timestamp::from_secs(self.beginning().as_secs() + MONTH)
    }
}

/// A request with a session in a memory store that holds a thousand.
pub fn run_in_memory(stack: Stack, front: Front) -> Run {
    let store = MemoryStore::new();
    ready(async {
        let user = store.create_user(&user(0), None).await.unwrap();
        for number in 0..1_000 {
            store.create_session(&session(number, &user.id, Life::Live), None).await.unwrap();
        }
    });
    let auth = auth().store(store).build().unwrap();
    drop(run_with(stack, Front::Guard, &auth, headers(0), true));
    run_with(stack, front, &auth, headers(0), true)
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}
