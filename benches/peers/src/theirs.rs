//! axum-login over tower-sessions, as their documentation sets them up.

use std::{collections::HashMap, convert::Infallible, fmt, sync::Arc};

use axum::{Router, body::Body, extract::Path, routing::{get, post}};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required};
use http::{Request, header::SET_COOKIE};
use serde::{Deserialize, Serialize};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tower::Service;
use tower_sessions::{Expiry, MemoryStore, SessionManagerLayer, SessionStore, cookie::time::Duration};
use tower_sessions_redis_store::{RedisStore, fred::prelude::*};
use tower_sessions_sqlx_store::SqliteStore;

use crate::{Around, Place, SESSIONS, Site};

pub async fn site(place: Place, around: &Around) -> Site {
    let people = (0..SESSIONS as i64).map(Person::new);
    match place {
        Place::Memory => {
            let people = people.map(|person| (person.id, person)).collect();
            with(MemoryStore::default(), People::Memory(Arc::new(people))).await
        }
        Place::Sqlite => {
            // The settings that our store makes for itself.
            let options = SqliteConnectOptions::new()
                .filename(around.folder.join("theirs.db"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal);
            let pool = SqlitePoolOptions::new()
                .max_connections(10)
                .test_before_acquire(false)
                .connect_with(options)
                .await
                .unwrap();
            let store = SqliteStore::new(pool.clone());
            store.migrate().await.unwrap();
            sqlx::query("create table users (id integer primary key, name text not null, email text not null unique)")
                .execute(&pool)
                .await
                .unwrap();
            for person in people {
                sqlx::query("insert into users (id, name, email) values (?, ?, ?)")
                    .bind(person.id)
                    .bind(person.name)
                    .bind(person.email)
                    .execute(&pool)
                    .await
                    .unwrap();
            }
            with(store, People::Sqlite(pool)).await
        }
        Place::Redis => {
            let config = Config::from_url(around.redis.as_deref().unwrap()).unwrap();
            // One connection, as ours.
            let pool = Pool::new(config, None, None, None, 1).unwrap();
            pool.init().await.unwrap();
            let namespace = uuid::Uuid::new_v4().to_string();
            for person in people {
                let key = format!("{namespace}:{}", person.id);
                let text = serde_json::to_string(&person).unwrap();
                let () = pool.set(key, text, None, None, false).await.unwrap();
            }
            with(RedisStore::new(pool.clone()), People::Redis(pool, namespace)).await
        }
    }
}

async fn with<S: SessionStore + Clone>(store: S, people: People) -> Site {
    let sessions = SessionManagerLayer::new(store).with_expiry(Expiry::OnInactivity(Duration::days(30)));
    let mut router = Router::new()
        .route("/", get(who))
        .route("/guarded", get(hello).layer(login_required!(People)))
        .route("/sign-in/{id}", post(sign_in))
        .layer(AuthManagerLayerBuilder::new(people, sessions).build())
        .with_state(());
    let mut cookies = Vec::new();
    for number in 0..SESSIONS {
        let request = Request::post(format!("/sign-in/{number}")).body(Body::empty()).unwrap();
        let Ok(response) = router.call(request).await;
        let line = response.headers()[SET_COOKIE].to_str().unwrap();
        let (cookie, _) = line.split_once(';').unwrap();
        cookies.push(format!("theme=dark; {cookie}"));
    }
    // An id that could be one: 16 bytes, of whose 22 characters the last carries two bits.
    let garbage = format!("theme=dark; id={}A", "x".repeat(21));
    Site { router, cookies, garbage }
}

async fn sign_in(Path(id): Path<i64>, mut session: AuthSession<People>) {
    session.login(&Person::new(id)).await.unwrap();
}

async fn who(session: AuthSession<People>) -> String {
    session.user.map(|user| user.name).unwrap_or_default()
}

async fn hello() -> &'static str {
    "hello"
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Person {
    id: i64,
    name: String,
    email: String,
}

impl Person {
    fn new(id: i64) -> Self {
        Self { id, name: "J Smith".into(), email: format!("jsmith-{id}@example.com") }
    }
}

impl AuthUser for Person {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.email.as_bytes()
    }
}

/// The users are where the sessions are.
#[derive(Clone)]
enum People {
    Memory(Arc<HashMap<i64, Person>>),
    Sqlite(SqlitePool),
    Redis(Pool, String),
}

impl AuthnBackend for People {
    type User = Person;
    type Credentials = Infallible;
    type Error = Fault;

    async fn authenticate(&self, credentials: Infallible) -> Result<Option<Person>, Fault> {
        match credentials {}
    }

    async fn get_user(&self, id: &i64) -> Result<Option<Person>, Fault> {
        match self {
            Self::Memory(people) => Ok(people.get(id).cloned()),
            Self::Sqlite(pool) => {
                let query = sqlx::query_as("select id, name, email from users where id = ?").bind(id);
                let found: Option<(i64, String, String)> = query.fetch_optional(pool).await.map_err(Fault::of)?;
                Ok(found.map(|(id, name, email)| Person { id, name, email }))
            }
            Self::Redis(pool, namespace) => {
                let text: Option<String> = pool.get(format!("{namespace}:{id}")).await.map_err(Fault::of)?;
                text.map(|text| serde_json::from_str(&text).map_err(Fault::of)).transpose()
            }
        }
    }
}

#[derive(Debug)]
struct Fault(String);

impl Fault {
    fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}
