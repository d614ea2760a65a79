use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use portcullis::{
    Account, Auth, OriginPolicy, Secret, User,
    store::{
        MemoryStore, SessionKey, SessionStore, SqlOptions, SqliteStore, Store, StoreErrorKind, StoredSession,
        Tables, UserStore, VerificationTokenStore,
    },
};
use serde_json::Map;

use crate::{
    checks::{self, at},
    services::unique,
};

/// A file that goes when the test does.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("portcullis-{}", unique()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn url(&self) -> String {
        format!("sqlite://{}/auth.db", self.0.display())
    }

    async fn store(&self) -> SqliteStore {
        SqliteStore::connect(&self.url()).await.unwrap()
    }

    /// With these tables in it, made by somebody else.
    async fn with(tables: &str) -> Self {
        let file = Self::new();
        let pool = sqlx::SqlitePool::connect(&format!("{}?mode=rwc", file.url())).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(tables)).execute(&pool).await.unwrap();
        pool.close().await;
        file
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_does_all() {
    let file = File::new();
    let store = file.store().await;
    assert!(store.report().is_empty(), "{:?}", store.report());
    checks::whole(&store).await;
    checks::broken_off(&store, &file.store().await).await;
}

/// The file is mapped, and what another program takes off its end is missed by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_file_may_shrink() {
    let file = File::new();
    let store = file.store().await;
    let mapped: i64 = sqlx::query_scalar("pragma mmap_size").fetch_one(store.pool()).await.unwrap();
    assert_eq!(mapped > 0, cfg!(target_pointer_width = "64"));
    let user = store.create_user(&User::new(""), None).await.unwrap();
    let session = |number: i64| {
        let mut session = StoredSession::new(SessionKey::new(number.to_string()), &user.id, at(number));
        session.user_agent = Some("agent ".repeat(80));
        session
    };
    for number in 1..=500 {
        store.create_session(&session(number), None).await.unwrap();
    }
    let other = file.store().await;
    let checkpoint = "pragma wal_checkpoint(truncate)";
    sqlx::query(checkpoint).execute(other.pool()).await.unwrap();
    let length = || std::fs::metadata(file.0.join("auth.db")).unwrap().len();
    let before = length();
    for number in 1..=500 {
        assert!(store.session_and_user(&session(number).key).await.unwrap().is_some());
    }
    assert_eq!(other.delete_expired_sessions(at(490), 1000).await.unwrap(), 490);
    for statement in ["vacuum", checkpoint] {
        sqlx::query(statement).execute(other.pool()).await.unwrap();
    }
    assert!(length() < before / 2, "{} of {before} are left", length());
    for number in [1, 490, 491, 500] {
        let found = store.session_and_user(&session(number).key).await.unwrap();
        assert_eq!(found.is_some(), number > 490, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_all() {
    let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
    checks::whole(&store).await;
    checks::broken_off(&store, &store).await;
    let other = SqliteStore::connect("sqlite::memory:").await.unwrap();
    assert_eq!(other.user_by_email("x").await.unwrap(), None, "each its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_instances_start_at_once() {
    for _ in 0..5 {
        let file = File::new();
        let stores = futures_util::future::join_all((0..8).map(|_| {
            let url = file.url();
            tokio::spawn(async move { SqliteStore::connect(&url).await })
        }))
        .await;
        let stores: Vec<_> = stores.into_iter().map(|store| store.unwrap().unwrap()).collect();
        let made =
            futures_util::future::join_all(stores.iter().enumerate().map(|(number, store)| async move {
                for round in 0..10 {
                    let email = format!("{number}.{round}@example.com");
                    store.create_user(&User::new("x").email(email), None).await.unwrap();
                }
            }));
        made.await;
        assert!(stores[0].user_by_email("7.9@example.com").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn prefixes_keep_sites_apart() {
    let file = File::new();
    let open = async |prefix| {
        SqliteStore::connect_with(&file.url(), SqlOptions::new().tables(Tables::prefix(prefix))).await
    };
    let (one, two) = (open("one_").await.unwrap(), open("two_").await.unwrap());
    let user = checks::user(&one, "a@example.com").await;
    assert_eq!(two.user(&user.id).await.unwrap(), None, "S92");
    checks::whole(&two).await;
    let error = open("a\"; --").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "S91");
}

#[tokio::test]
async fn newer_tables_are_left_alone() {
    let file = File::new();
    let store = file.store().await;
    sqlx::query("insert into portcullis_migrations (version) values (99)")
        .execute(store.pool())
        .await
        .unwrap();
    let error = SqliteStore::connect(&file.url()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("version 99"), "{why}");
}

#[tokio::test]
async fn without_migrations_there_have_to_be_tables() {
    let file = File::new();
    let made = SqliteStore::connect_with(&file.url(), SqlOptions::new().migrate(false)).await;
    let why = std::error::Error::source(&made.unwrap_err()).unwrap().to_string();
    assert!(why.contains("migrate(true)"), "{why}");
}

/// Tables as Drizzle and Kysely make them: times as numbers and as texts, keys or none.
const PLAIN: &str = r#"
create table users (id integer primary key autoincrement, name text, email text, "emailVerified" TIME, image text);
create table accounts (id integer primary key, "userId" integer not null, type text not null, provider text not null,
  "providerAccountId" text not null, refresh_token text, access_token text, expires_at integer, id_token text,
  scope text, session_state text, token_type text);
create table sessions (id integer primary key, "sessionToken" text not null, "userId" integer not null,
  expires TIME not null);
create table verification_token (identifier text not null, token text not null, expires TIME not null);
"#;

/// What a store of sessions lacks is said at the start, as of the store of users.
#[tokio::test]
async fn a_store_of_sessions_is_asked_for_its_report() {
    let file = File::with(&PLAIN.replace("TIME", "integer")).await;
    let lacks = |store: SqliteStore| {
        let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
            .origin(OriginPolicy::fixed("https://app.example").unwrap())
            .store(MemoryStore::new())
            .session_store(Arc::new(store))
            .build();
        let warnings = auth.unwrap().startup_report().warnings;
        warnings.iter().any(|line| line.contains("sessions has no column version"))
    };
    assert!(lacks(file.store().await));
    assert!(!lacks(File::new().store().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_others_are_used_as_they_are() {
    for time in ["integer", "datetime"] {
        let file = File::with(&PLAIN.replace("TIME", time)).await;
        let store = file.store().await;
        checks::auth_js(&store).await;
        let report = store.report();
        for part in [
            "no unique index on users.email",
            "no unique index on accounts (provider, providerAccountId)",
            "no unique index on sessions.sessionToken",
            "sessions has no column created: when users signed in",
            "users has no column extra",
            "there is no table revocations",
        ] {
            assert!(report.iter().any(|line| line.contains(part)), "{part}: {report:#?}");
        }
        let user = checks::user(&store, "a@example.com").await;
        let replaced = store.replace_session_data(&SessionKey::new("k"), 0, &Map::new()).await;
        let error = replaced.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("complete(true)"));
        let before = columns(&store).await;
        let again = SqliteStore::connect(&file.url()).await.unwrap();
        assert_eq!(columns(&again).await, before, "nothing was altered");

        let whole = SqliteStore::connect_with(&file.url(), SqlOptions::new().complete(true)).await.unwrap();
        checks::whole(&whole).await;
        let left: Vec<_> = whole.report().into_iter().filter(|line| !line.contains("foreign key")).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(whole.user(&user.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn tokens_of_others_end_at_a_time() {
    let tables = PLAIN.replace("TIME", "integer").replace("expires_at integer", "expires_at datetime");
    let file = File::with(&tables).await;
    let store = file.store().await;
    checks::tokens_end_at_a_time(&store, async || {
        sqlx::query_scalar("select unixepoch(expires_at) from accounts")
            .fetch_one(store.pool())
            .await
            .unwrap()
    })
    .await;
}

/// Accounts without a column for any token: what is given is not kept, and the answers are no others.
#[tokio::test]
async fn tables_without_tokens_have_none() {
    let (before, rest) = PLAIN.split_once(", refresh_token").unwrap();
    let (_, rest) = rest.split_once("token_type text").unwrap();
    let file = File::with(&format!("{before}{rest}").replace("TIME", "integer")).await;
    let store = file.store().await;
    let mut account = Account::new("oauth", "acme", "1");
    let user = store.create_user(&User::new("").email("a@example.com"), Some(&account)).await.unwrap();
    let none = account.tokens.clone();
    account.tokens.access_token = Some("access".to_owned());
    assert!(!store.replace_tokens("acme", "1", &account.tokens, &none).await.unwrap());
    assert!(!store.replace_tokens("acme", "2", &none, &account.tokens).await.unwrap());
    assert!(store.replace_tokens("acme", "1", &none, &account.tokens).await.unwrap());
    assert!(store.accounts_of(&user.id).await.unwrap()[0].tokens == none);
}

async fn columns(store: &SqliteStore) -> Vec<String> {
    sqlx::query_scalar("select name || coalesce(sql, '') from sqlite_master order by 1")
        .fetch_all(store.pool())
        .await
        .unwrap()
}

/// Times that JavaScript has written in one form or another.
#[tokio::test]
async fn times_of_others_are_understood() {
    let file = File::with(&PLAIN.replace("TIME", "datetime")).await;
    let store = file.store().await;
    let user = checks::user(&store, "a@example.com").await;
    for (number, time) in [
        "2026-01-15T12:00:00.120Z",
        "2026-01-15 12:00:00.120",
        "2026-01-15T13:00:00.120+01:00",
        "1768478400120",
    ]
    .into_iter()
    .enumerate()
    {
        let insert = "insert into sessions (\"sessionToken\", \"userId\", expires) values (?, ?, ?)";
        let query = sqlx::query(insert).bind(format!("{number}")).bind(&user.id);
        let query = match time.parse::<i64>() {
            Ok(number) => query.bind(number),
            Err(_) => query.bind(time),
        };
        query.execute(store.pool()).await.unwrap();
        let key = SessionKey::new(format!("{number}"));
        let found = store.session_and_user(&key).await.unwrap().unwrap();
        assert_eq!(found.session.expires, at(120), "{time}");
    }
}

/// A store behind a file that is no database is an error, and one with a lock on it waits.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_refused() {
    let file = File::new();
    std::fs::write(file.0.join("auth.db"), "not a database, but a text of some length".repeat(50)).unwrap();
    assert_eq!(SqliteStore::connect(&file.url()).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    let missing = SqliteStore::connect("sqlite:///nowhere/at/all.db").await.unwrap_err();
    assert_eq!(missing.kind(), StoreErrorKind::Unavailable);
}

/// Two processes, here two pools, write by turns.
#[tokio::test(flavor = "multi_thread")]
async fn writers_wait_for_each_other() {
    let file = File::new();
    let stores = [file.store().await, file.store().await];
    let work = (0..64).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move {
            let user = checks::user(&store, &format!("{number}@example.com")).await;
            for round in 0..5 {
                let key = SessionKey::new(format!("{number}.{round}"));
                let session = StoredSession::new(key, &*user.id, at(0));
                store.create_session(&session, NonZeroUsize::new(2)).await.unwrap();
            }
            assert!(store.use_verification_token("none", "none").await.unwrap().is_none());
        })
    });
    for done in futures_util::future::join_all(work).await {
        done.unwrap();
    }
}
