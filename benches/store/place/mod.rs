//! The stores that are measured, and how each is filled.

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::{future::Future, pin::Pin};

use portcullis::{
    Auth,
    store::{Store, StoredSession, UserStore},
};

use crate::support::rows::{Life, auth, session, user};

pub const PLACES: &[Place] = &[
    memory::PLACE,
    #[cfg(feature = "sqlite")]
    sqlite::PLACE,
    #[cfg(feature = "postgres")]
    postgres::PLACE,
    #[cfg(feature = "redis")]
    redis::PLACE,
];

pub struct Place {
    pub name: &'static str,
    /// The variable that says where its server is.
    url: Option<&'static str>,
    /// It waits for nothing.
    pub is_in_process: bool,
    /// How many expired rows it is given, at most.
    pub swept: usize,
    /// Makes one with so many sessions.
    pub fill: fn(Size) -> Task<Filled>,
}

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

impl Place {
    /// The variable without which it cannot be reached.
    pub fn missing(&self) -> Option<&'static str> {
        self.url.filter(|url| std::env::var_os(url).is_none())
    }
}

/// How many sessions there are.
#[derive(Clone, Copy)]
pub struct Size {
    pub live: usize,
    pub expired: usize,
}

/// A store that has its sessions.
pub struct Filled {
    pub auth: Auth,
    empty: Task<()>,
}

impl Filled {
    fn new(store: impl Store, empty: impl Future<Output = ()> + 'static) -> Self {
        Self { auth: auth().store(store).build().unwrap(), empty: Box::pin(empty) }
    }

    /// Takes everything away again.
    pub async fn empty(self) {
        drop(self.auth);
        self.empty.await;
    }
}

/// However many sessions there are, so many people have them.
const USERS: usize = 1_000;

async fn users(store: &impl UserStore) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..USERS {
        ids.push(store.create_user(&user(number), None).await.unwrap().id);
    }
    ids
}

/// The sessions: live ones have the first numbers.
fn sessions(size: Size, users: &[String]) -> impl Iterator<Item = StoredSession> {
    let numbers = 0..size.live + size.expired;
    numbers.map(move |number| {
        let life = if number < size.live { Life::Live } else { Life::Expired };
        session(number, &users[number % users.len()], life)
    })
}

/// The same as columns, so many at a time.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn columns(size: Size, users: &[String]) -> impl Iterator<Item = Columns> {
    let mut sessions = sessions(size, users).peekable();
    std::iter::from_fn(move || {
        sessions.peek()?;
        let mut columns = Columns::default();
        for session in sessions.by_ref().take(10_000) {
            columns.keys.push(session.key.as_str().to_owned());
            columns.users.push(session.user_id);
            columns.expires.push(session.expires.as_millis());
            columns.created.push(session.created.map_or(0, |time| time.as_millis()));
        }
        Some(columns)
    })
}

/// Times in milliseconds.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[derive(Default)]
struct Columns {
    keys: Vec<String>,
    users: Vec<String>,
    expires: Vec<i64>,
    created: Vec<i64>,
}

/// A name that nobody else has.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
fn unique_name() -> String {
    format!("bench_{}", uuid::Uuid::new_v4().simple())
}
