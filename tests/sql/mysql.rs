use portcullis::store::{
    MySqlStore, SessionKey, SessionStore, SqlOptions, StoreErrorKind, StoredSession, Tables, UserStore,
};
use sqlx::{AssertSqlSafe, MySqlPool};

use crate::{
    checks::{self, UNORDERED, at},
    services::{given, unique},
};

/// A database of its own.
struct Place {
    url: String,
}

impl Place {
    async fn new() -> Option<Self> {
        let server = given("TEST_MYSQL_URL", "MariaDB")?;
        let name = unique();
        let pool = MySqlPool::connect(&server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&pool).await.unwrap();
        pool.close().await;
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self { url: url.into() })
    }

    /// With these tables in it, made by somebody else.
    async fn with(tables: &str) -> Option<Self> {
        let place = Self::new().await?;
        let pool = MySqlPool::connect(&place.url).await.unwrap();
        for statement in tables.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&pool).await.unwrap();
        }
        pool.close().await;
        Some(place)
    }

    async fn store(&self) -> MySqlStore {
        MySqlStore::connect(&self.url).await.unwrap()
    }

    async fn open(&self, options: SqlOptions) -> portcullis::store::Result<MySqlStore> {
        MySqlStore::connect_with(&self.url, options).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_tables_do_all() {
    let Some(place) = Place::new().await else { return };
    let store = place.store().await;
    assert!(store.report().is_empty(), "{:?}", store.report());
    checks::whole(&store).await;
    checks::broken_off(&store, &place.store().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_instances_start_at_once() {
    let Some(place) = Place::new().await else { return };
    let stores = futures_util::future::join_all((0..8).map(|_| {
        let url = place.url.clone();
        tokio::spawn(
            async move { MySqlStore::connect_with(&url, SqlOptions::new().max_connections(2)).await },
        )
    }))
    .await;
    let stores: Vec<_> = stores.into_iter().map(|store| store.unwrap().unwrap()).collect();
    let user = checks::user(&stores[0], "a@example.com").await;
    assert_eq!(stores[7].user(&user.id).await.unwrap(), Some(user));
    let made: i64 = sqlx::query_scalar("select count(*) from portcullis_migrations")
        .fetch_one(stores[3].pool())
        .await
        .unwrap();
    assert_eq!(made, 1);
}

const AUTH_JS: &str = r"
create table users (id OWN_ID, name varchar(255), email varchar(255)UNIQUE, emailVerified datetime(3),
  image varchar(255)) collate COLLATION;
create table accounts (id OWN_ID, userId USER_ID not null, type varchar(255) not null,
  provider varchar(255) not null, providerAccountId varchar(255) not null, refresh_token text, access_token text,
  expires_at bigint, id_token text, scope text, session_state text, token_type text
  ACCOUNT_KEY) collate COLLATION;
create table sessions (id OWN_ID, userId USER_ID not null, expires datetime(3) not null,
  sessionToken varchar(255) not null UNIQUE) collate COLLATION;
create table verification_token (identifier varchar(255) not null, token varchar(255) not null,
  expires datetime(3) not null TOKEN_KEY) collate COLLATION;
";

/// Those tables with ids of this type, this collation, and with keys or without.
fn tables(own: &str, user: &str, collation: &str, keys: bool) -> String {
    let key = |text: &'static str| if keys { text } else { "" };
    AUTH_JS
        .replace("OWN_ID", own)
        .replace("USER_ID", user)
        .replace("COLLATION", collation)
        .replace("UNIQUE", key(" unique"))
        .replace("ACCOUNT_KEY", key(", unique (provider, providerAccountId)"))
        .replace("TOKEN_KEY", key(", primary key (identifier, token)"))
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_others_are_used_as_they_are() {
    for (own, user, collation, keys) in [
        ("int primary key auto_increment", "int", "utf8mb4_bin", false),
        ("varchar(36) primary key", "varchar(36)", "utf8mb4_general_ci", false),
        ("bigint unsigned primary key auto_increment", "bigint unsigned", "utf8mb4_nopad_bin", true),
    ] {
        println!("{own}, {collation}, {keys}");
        let Some(place) = Place::with(&tables(own, user, collation, keys)).await else { return };
        let store = place.store().await;
        checks::auth_js_but(&store, if own.contains("auto_increment") { &[] } else { UNORDERED }).await;
        let report = store.report();
        let missing = report.iter().any(|line| line.contains("no unique index on users.email"));
        assert_eq!(missing, !keys, "{report:#?}");
        assert!(report.iter().any(|line| line.contains("sessions has no column created")), "{report:#?}");
    }
}

#[tokio::test]
async fn tokens_of_others_end_at_a_time() {
    let tables = tables("int primary key auto_increment", "int", "utf8mb4_bin", true);
    let tables = tables.replace("expires_at bigint", "expires_at datetime(3)");
    let Some(place) = Place::with(&tables).await else { return };
    let store = place.store().await;
    checks::tokens_end_at_a_time(&store, async || {
        let seconds =
            "select timestampdiff(second, timestamp'1970-01-01 00:00:00', expires_at) from accounts";
        sqlx::query_scalar(seconds).fetch_one(store.pool()).await.unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_others_are_completed() {
    let tables = tables("int primary key auto_increment", "int", "utf8mb4_nopad_bin", false);
    let Some(place) = Place::with(&tables).await else { return };
    let whole = place.open(SqlOptions::new().complete(true)).await.unwrap();
    checks::whole(&whole).await;
    let left: Vec<_> = whole.report().into_iter().filter(|line| !line.contains("foreign key")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A key whose collation is loose refuses more than it should, and nobody is taken for another.
#[tokio::test]
async fn loose_collations_find_nobody_else() {
    let Some(place) =
        Place::with(&tables("char(36) primary key", "char(36)", "utf8mb4_unicode_ci", true)).await
    else {
        return;
    };
    let store = place.store().await;
    let user = checks::user(&store, "jose@example.com").await;
    for other in ["JOSE@example.com", "jos\u{e9}@example.com", "jose@example.com "] {
        assert_eq!(store.user_by_email(other).await.unwrap(), None, "{other:?}");
        let error = store.create_user(&portcullis::User::new("x").email(other), None).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Conflict);
    }
    assert_eq!(store.user(&user.id.to_uppercase()).await.unwrap(), None);
    let report = store.report();
    assert!(report.iter().any(|line| line.contains("users.email takes texts for the same")), "{report:#?}");
}

#[tokio::test]
async fn texts_that_do_not_fit_are_refused_whole() {
    let Some(place) = Place::new().await else { return };
    let store = place.open(SqlOptions::new().tables(Tables::prefix("acme_"))).await.unwrap();
    let user = checks::user(&store, "a@example.com").await;
    let key = SessionKey::new("k".repeat(256));
    let error =
        store.create_session(&StoredSession::new(key.clone(), &*user.id, at(0)), None).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(
        store.session(&key).await.unwrap().is_none() && store.sessions_of(&user.id).await.unwrap().is_empty()
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let options = SqlOptions::new().acquire_timeout(std::time::Duration::from_millis(300));
    let error = MySqlStore::connect_with("mysql://nobody:hunter2@127.0.0.1:1/x", options).await.unwrap_err();
    checks::refused_at("127.0.0.1:1", &error);
}

/// S91: whoever cannot see a table cannot make it either.
#[tokio::test]
async fn s91_names_of_tables_are_plain() {
    let options = SqlOptions::new().tables(Tables::authjs().users("users` where 1; --"));
    let error = MySqlStore::connect_with("mysql://nobody@127.0.0.1:1/x", options).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
}

#[tokio::test]
async fn ended_connections_are_made_again() {
    let Some(place) = Place::new().await else { return };
    let store = place.store().await;
    let user = checks::user(&store, "a@example.com").await;
    futures_util::future::join_all((0..8).map(|_| store.user(&user.id))).await;
    let admin = MySqlPool::connect(&place.url).await.unwrap();
    let (mut held, mut ids) = (Vec::new(), Vec::new());
    while let Some(mut connection) = store.pool().try_acquire() {
        let id: u64 = sqlx::query_scalar("select connection_id()").fetch_one(&mut *connection).await.unwrap();
        ids.push(id);
        held.push(connection);
    }
    drop(held);
    assert!(!ids.is_empty());
    for id in ids {
        sqlx::raw_sql(AssertSqlSafe(format!("kill {id}"))).execute(&admin).await.unwrap();
    }
    for found in futures_util::future::join_all((0..20).map(|_| store.user(&user.id))).await {
        assert_eq!(found.unwrap().as_ref(), Some(&user));
    }
}
