use portcullis::{
    Account, ProviderTokens, User,
    store::{
        PostgresStore, SessionKey, SessionStore, SqlOptions, Store, StoreErrorKind, StoredSession, Tables,
        UserChange, UserStore, VerificationToken, VerificationTokenStore,
    },
};
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    checks::{self, UNORDERED, UNORDERED_ACCOUNTS, at},
    services::{given, unique},
};

/// A schema of its own.
struct Place {
    url: String,
}

impl Place {
    async fn new() -> Option<Self> {
        let server = given("TEST_POSTGRES_URL", "PostgreSQL")?;
        let name = unique();
        let pool = PgPool::connect(&server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("create schema {name}"))).execute(&pool).await.unwrap();
        pool.close().await;
        let joint = if server.contains('?') { '&' } else { '?' };
        Some(Self { url: format!("{server}{joint}options[search_path]={name}") })
    }

    /// With these tables in it, made by somebody else.
    async fn with(tables: &str) -> Option<Self> {
        let place = Self::new().await?;
        place.run(tables).await;
        Some(place)
    }

    async fn run(&self, script: &str) {
        let pool = PgPool::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&pool).await.unwrap();
        pool.close().await;
    }

    async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.url).await.unwrap()
    }

    async fn open(&self, options: SqlOptions) -> portcullis::store::Result<PostgresStore> {
        PostgresStore::connect_with(&self.url, options).await
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
    for _ in 0..3 {
        let Some(place) = Place::new().await else { return };
        let stores = futures_util::future::join_all((0..8).map(|_| {
            let url = place.url.clone();
            tokio::spawn(async move {
                PostgresStore::connect_with(&url, SqlOptions::new().max_connections(2)).await
            })
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
}

/// The documented tables of `@auth/pg-adapter`, with the ids that sites give them.
const PG_ADAPTER: &str = r#"
create table verification_token (identifier text not null, expires timestamptz not null, token text not null,
  primary key (identifier, token));
create table accounts (id OWN_ID, "userId" USER_ID not null, type varchar(255) not null,
  provider varchar(255) not null, "providerAccountId" varchar(255) not null, refresh_token text,
  access_token text, expires_at bigint, id_token text, scope text, session_state text, token_type text);
create table sessions (id OWN_ID, "userId" USER_ID not null, expires timestamptz not null,
  "sessionToken" varchar(255) not null);
create table users (id OWN_ID, name varchar(255), email varchar(255), "emailVerified" timestamptz, image text);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_pg_adapter_are_used_as_they_are() {
    for (own, user) in [
        ("serial primary key", "integer"),
        ("bigserial primary key", "bigint"),
        ("uuid default gen_random_uuid() primary key", "uuid"),
        ("text default gen_random_uuid()::text primary key", "text"),
        ("varchar(36) primary key", "varchar(36)"),
    ] {
        let tables = PG_ADAPTER.replace("OWN_ID", own).replace("USER_ID", user);
        let Some(place) = Place::with(&tables).await else { return };
        let store = place.store().await;
        let (but, but_whole) =
            if own.contains("serial") { (&[][..], &[][..]) } else { (UNORDERED, UNORDERED_ACCOUNTS) };
        checks::auth_js_but(&store, but).await;
        let report = store.report();
        for part in [
            "no unique index on users.email",
            "no unique index on accounts (provider, providerAccountId)",
            "no unique index on sessions.sessionToken: each request reads the whole table",
            "sessions has no column created: when users signed in is not known, and an absolute limit",
            "users has no column extra",
            "there is no table revocations: sessions that live in tokens cannot be ended early",
        ] {
            assert!(report.iter().any(|line| line.contains(part)), "{part}: {report:#?}");
        }
        let before = columns(&store).await;
        assert!(before.iter().all(|column| !column.contains("version")), "nothing was added: {before:?}");

        let whole = place.open(SqlOptions::new().complete(true)).await.unwrap();
        checks::whole_but(&whole, but_whole).await;
        let left: Vec<_> = whole
            .report()
            .into_iter()
            .filter(|line| !line.contains("foreign key") && !line.contains("no order"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        // The one that was there before goes on with what it knows.
        let user = checks::user(&store, "before@example.com").await;
        assert_eq!(whole.user(&user.id).await.unwrap(), Some(user));
    }
}

async fn columns(store: &PostgresStore) -> Vec<String> {
    let text = "select table_name || '.' || column_name || ' ' || data_type from information_schema.columns \
                where table_schema = current_schema() order by 1";
    sqlx::query_scalar(text).fetch_all(store.pool()).await.unwrap()
}

/// The statements of `@auth/pg-adapter` on tables that we have made.
#[tokio::test]
async fn node_writes_to_our_tables() {
    let Some(place) = Place::new().await else { return };
    let store = place.store().await;
    let insert = r#"INSERT INTO users (name, email, "emailVerified", image) VALUES ($1, $2, $3::timestamptz, $4)
        RETURNING id, name, email, "emailVerified", image"#;
    let row = sqlx::query(insert)
        .bind("Pat")
        .bind("p@example.com")
        .bind("2026-01-15T12:00:00.123Z")
        .bind(None::<String>)
        .fetch_one(store.pool())
        .await
        .unwrap();
    let id: String = sqlx::Row::get(&row, 0);
    let user = store.user(&id).await.unwrap().unwrap();
    assert_eq!((user.name.as_deref(), user.email_verified), (Some("Pat"), Some(at(123))));
    let insert = r#"insert into accounts ("userId", provider, type, "providerAccountId", access_token, expires_at,
        refresh_token, id_token, scope, session_state, token_type) values ($1, 'acme', 'oauth', '777', 'AT',
        1768482000, null, null, null, null, 'bearer') returning id, "userId""#;
    sqlx::query(insert).bind(&id).execute(store.pool()).await.unwrap();
    assert_eq!(store.user_by_account("acme", "777").await.unwrap().unwrap(), user);
    assert_eq!(store.accounts_of(&id).await.unwrap()[0].tokens.expires_at, Some(1_768_482_000));
    let insert = r#"insert into sessions ("userId", expires, "sessionToken") values ($1, $2::timestamptz, $3)
        RETURNING id, "sessionToken", "userId", expires"#;
    sqlx::query(insert)
        .bind(&id)
        .bind("2026-01-15T12:00:01.5Z")
        .bind("raw")
        .execute(store.pool())
        .await
        .unwrap();
    let found = store.session_and_user(&SessionKey::new("raw")).await.unwrap().unwrap();
    assert_eq!((found.session.expires, found.session.version, found.session.created), (at(1500), 0, None));
    assert!(store.extend_session(&SessionKey::new("raw"), at(3000), at(0)).await.unwrap());
    // deleteUser of the adapter: three statements, users first.
    sqlx::query("delete from users where id = $1").bind(&id).execute(store.pool()).await.unwrap();
    assert!(store.session(&SessionKey::new("raw")).await.unwrap().is_none());
}

/// As `prisma migrate` makes them of the schema in the Auth.js documentation.
const PRISMA: &str = r#"
create table "User" ("id" text not null primary key, "name" text, "email" text not null,
  "emailVerified" timestamp(3), "image" text, "createdAt" timestamp(3) not null default current_timestamp,
  "updatedAt" timestamp(3) not null);
create table "Account" ("userId" text not null, "type" text not null, "provider" text not null,
  "providerAccountId" text not null, "refresh_token" text, "access_token" text, "expires_at" integer,
  "token_type" text, "scope" text, "id_token" text, "session_state" text,
  "createdAt" timestamp(3) not null default current_timestamp, "updatedAt" timestamp(3) not null,
  primary key ("provider", "providerAccountId"));
create table "Session" ("id" text not null primary key, "sessionToken" text not null, "userId" text not null,
  "expires" timestamp(3) not null);
create table "VerificationToken" ("identifier" text not null, "token" text not null, "expires" timestamp(3) not null,
  primary key ("identifier", "token"));
create unique index "User_email_key" on "User"("email");
create unique index "Session_sessionToken_key" on "Session"("sessionToken");
alter table "Account" add foreign key ("userId") references "User"("id") on delete cascade on update cascade;
alter table "Session" add foreign key ("userId") references "User"("id") on delete cascade on update cascade;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_prisma_are_used_as_they_are() {
    let nullable = PRISMA.replace("\"email\" text not null", "\"email\" text");
    let Some(place) = Place::with(&nullable).await else { return };
    let store = place.open(SqlOptions::new().tables(Tables::prisma())).await.unwrap();
    // Two accounts may be linked in one millisecond.
    checks::auth_js_but(&store, UNORDERED).await;
    let report = store.report();
    assert!(!report.iter().any(|line| line.contains("unique") || line.contains("foreign")), "{report:#?}");
    let whole = place.open(SqlOptions::new().tables(Tables::prisma()).complete(true)).await.unwrap();
    checks::whole_but(&whole, UNORDERED_ACCOUNTS).await;
    let left: Vec<_> = whole.report().into_iter().filter(|line| !line.contains("32 bits")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Applications tend to have columns that say when a row was made and changed.
#[tokio::test]
async fn columns_of_applications_tell_times() {
    let Some(place) = Place::with(PRISMA).await else { return };
    let columns = r#"alter table "Session" add "createdAt" timestamp(3) not null default current_timestamp,
        add "updatedAt" timestamp(3) not null"#;
    place.run(columns).await;
    let store = place.open(SqlOptions::new().tables(Tables::prisma())).await.unwrap();
    let user = checks::user(&store, "a@example.com").await;
    let mut session = StoredSession::new(SessionKey::new("k"), &*user.id, at(7));
    store.create_session(&session, None).await.unwrap();
    let found = store.session(&session.key).await.unwrap().unwrap();
    assert!(found.created.is_some() && found.created == found.last_seen, "{found:?}");
    session.key = SessionKey::new("k2");
    (session.created, session.last_seen) = (Some(at(1)), Some(at(2)));
    store.create_session(&session, None).await.unwrap();
    assert_eq!(store.session(&session.key).await.unwrap(), Some(session));
    assert!(!store.report().iter().any(|line| line.contains("column created") || line.contains("last_seen")));
}

#[tokio::test]
async fn tokens_of_others_end_at_a_time() {
    for time in ["timestamptz", "timestamp"] {
        let tables = PG_ADAPTER.replace("OWN_ID", "serial primary key").replace("USER_ID", "integer");
        let tables = tables.replace("expires_at bigint", &format!("expires_at {time}"));
        let Some(place) = Place::with(&tables).await else { return };
        let store = place.store().await;
        checks::tokens_end_at_a_time(&store, async || {
            let seconds = "select extract(epoch from expires_at)::bigint from accounts";
            sqlx::query_scalar(seconds).fetch_one(store.pool()).await.unwrap()
        })
        .await;
    }
}

#[tokio::test]
async fn times_without_a_zone_are_utc() {
    let Some(place) = Place::with(&PRISMA.replace("\"email\" text not null", "\"email\" text")).await else {
        return;
    };
    let url = format!("{}&options[timezone]=Asia/Kolkata", place.url);
    let options = SqlOptions::new().tables(Tables::prisma());
    let (far, here) = (
        PostgresStore::connect_with(&url, options.clone()).await.unwrap(),
        place.open(options).await.unwrap(),
    );
    let user = checks::user(&far, "a@example.com").await;
    let key = SessionKey::new("k");
    far.create_session(&StoredSession::new(key.clone(), &*user.id, at(7)), None).await.unwrap();
    for store in [&far, &here] {
        assert_eq!(store.session(&key).await.unwrap().unwrap().expires, at(7));
        assert_eq!(store.delete_expired_sessions(at(6), 9).await.unwrap(), 0);
    }
    let text: String =
        sqlx::query_scalar(r#"select expires::text from "Session""#).fetch_one(here.pool()).await.unwrap();
    assert_eq!(text, "2026-01-15 12:00:00.007", "as Prisma reads it");
    assert_eq!(here.delete_expired_sessions(at(7), 9).await.unwrap(), 1);
}

const V3: &str = r#"
create table users (id serial primary key, name varchar(255), email varchar(255) unique, email_verified timestamptz,
  image text, created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create table accounts (id serial primary key, compound_id varchar(255) not null unique, user_id integer not null,
  provider_type varchar(255) not null, provider_id varchar(255) not null, provider_account_id varchar(255) not null,
  refresh_token text, access_token text, access_token_expires timestamptz,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create table sessions (id serial primary key, user_id integer not null, expires timestamptz not null,
  session_token varchar(255) not null unique, access_token varchar(255) not null unique,
  created_at timestamptz not null default '2026-01-15 12:00:00Z', updated_at timestamptz not null default now());
create table verification_requests (id serial primary key, identifier varchar(255) not null,
  token varchar(255) not null unique, expires timestamptz not null,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
insert into users (name, email) values ('Old', 'old@example.com');
insert into accounts (compound_id, user_id, provider_type, provider_id, provider_account_id, access_token_expires)
  values ('hash', 1, 'oauth', 'github', '1', '2026-01-15 12:00:09Z');
insert into sessions (user_id, expires, session_token, access_token) values (1, '2026-01-15 12:00:05Z', 'st', 'at');
"#;

/// S91: types and collations that take several texts for one. A key of them refuses more than it should, and
/// nobody is taken for another.
#[tokio::test(flavor = "multi_thread")]
async fn s91_loose_collations_find_nobody_else() {
    let collation = |strength: u8, then: &str| {
        format!(
            "create collation loose (provider = icu, locale = 'und-u-ks-level{strength}', deterministic = false){then}"
        )
    };
    let citext = |then: &str| format!("create extension if not exists citext schema public{then}");
    let (accent, case) = ("jos\u{e9}@example.com", "JOSE@example.com");
    for (before, kind, other) in [
        (collation(1, ""), "text collate loose", accent),
        (collation(2, ""), "varchar(255) collate loose", case),
        (collation(1, "; create domain word as text collate loose"), "word", accent),
        (citext(""), "citext", case),
        (citext("; create domain word as citext"), "word", case),
        (citext("; create domain inner_word as citext; create domain word as inner_word"), "word", case),
    ] {
        for keys in [false, true] {
            println!("{before}: {kind}, {keys}");
            let Some(mut place) = Place::new().await else { return };
            place.url += "%2Cpublic";
            place.run(&before).await;
            place.run(&loose_tables(kind, keys)).await;
            nobody_else_is_found(&place.store().await, other, keys).await;
        }
    }
}

/// The tables of Auth.js with texts of this type, and with keys or without.
fn loose_tables(kind: &str, keys: bool) -> String {
    let keys = match keys {
        true => {
            r#"create unique index on users (email); create unique index on sessions ("sessionToken");
            create unique index on accounts (provider, "providerAccountId");
            create unique index on verification_token (identifier, token);"#
        }
        false => "",
    };
    format!(
        r#"create table users (id text primary key, name text, email {kind}, "emailVerified" timestamptz, image text);
        create table accounts (id text primary key, "userId" text not null, type text not null,
          provider {kind} not null, "providerAccountId" {kind} not null, access_token {kind});
        create table sessions (id text primary key, "userId" text not null, expires timestamptz not null,
          "sessionToken" {kind} not null);
        create table verification_token (identifier {kind} not null, token {kind} not null,
          expires timestamptz not null); {keys}"#
    )
}

async fn nobody_else_is_found(store: &PostgresStore, other: &str, keys: bool) {
    let (email, mut account) = ("jose@example.com", Account::new("oauth", "acme", "aBc"));
    account.tokens = tokens(Some("aBc"), None);
    let given = User::new("x").email(email).email_verified(at(0));
    let user = store.create_user(&given, Some(&account)).await.unwrap();
    assert_eq!(store.user_by_email(email).await.unwrap().as_ref(), Some(&user));
    assert_eq!(store.user_by_email(other).await.unwrap(), None);
    assert_eq!(store.user_by_account("acme", "aBc").await.unwrap().as_ref(), Some(&user));
    for (provider, id) in [("acme", "AbC"), ("Acme", "aBc")] {
        assert_eq!(store.user_by_account(provider, id).await.unwrap(), None, "{provider} {id}");
        assert!(!store.unlink_account(provider, id).await.unwrap(), "{provider} {id}");
        assert!(!store.replace_tokens(provider, id, &account.tokens, &account.tokens).await.unwrap());
    }
    only_these_are_replaced(store, &user.id).await;

    let (key, near) = (SessionKey::new("aBc"), SessionKey::new("AbC"));
    store.create_session(&StoredSession::new(key.clone(), &*user.id, at(5)), None).await.unwrap();
    assert_eq!(store.session(&near).await.unwrap(), None);
    assert!(store.session_and_user(&near).await.unwrap().is_none());
    assert!(!store.extend_session(&near, at(9), at(0)).await.unwrap());
    assert!(!store.end_session(&near).await.unwrap());
    assert_eq!(store.session_and_user(&key).await.unwrap().unwrap().session.expires, at(5));

    store.create_verification_token(&VerificationToken::new(email, "aBc", at(0))).await.unwrap();
    assert_eq!(store.use_verification_token(email, "AbC").await.unwrap(), None);
    assert_eq!(store.use_verification_token(other, "aBc").await.unwrap(), None);
    assert!(store.use_verification_token(email, "aBc").await.unwrap().is_some());

    let second = store.create_user(&User::new("x").email(other), None).await;
    let report = store.report();
    let is_said =
        |column| report.iter().any(|line| line.contains(&format!("{column} takes texts for the same")));
    assert_eq!((is_said("users.email"), is_said("accounts.provider")), (keys, keys), "{report:#?}");
    if keys {
        assert_eq!(second.unwrap_err().kind(), StoreErrorKind::Conflict);
        let mut change = UserChange::default();
        change.email = Some(other.to_owned());
        let changed = store.update_user(&user.id, change).await.unwrap().unwrap();
        assert_eq!((changed.email.as_deref(), changed.email_verified), (Some(other), None));
    } else {
        assert_eq!(store.user_by_email(other).await.unwrap(), Some(second.unwrap()));
        assert_eq!(store.user_by_email(email).await.unwrap(), Some(user));
    }
}

/// There is no column for refresh tokens: the account has none, whatever it is given.
async fn only_these_are_replaced(store: &PostgresStore, user: &str) {
    let replace = async |before, after| store.replace_tokens("acme", "aBc", &before, &after).await;
    let after = || tokens(Some("aBd"), Some("refresh"));
    for (access, refresh) in [("AbC", None), ("aBc ", None), ("aBc", Some("")), ("aBc", Some("refresh"))] {
        let before = tokens(Some(access), refresh);
        assert!(!replace(before, after()).await.unwrap(), "{access:?} {refresh:?}");
    }
    // What cannot be stored is no token of before, and is refused as a new one.
    assert!(!replace(tokens(Some("aBc\0"), None), after()).await.unwrap());
    assert!(!replace(tokens(None, None), tokens(Some("aBd\0"), None)).await.unwrap());
    let refused = replace(tokens(Some("aBc"), None), tokens(Some("aBd\0"), None)).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Conflict);
    assert!(store.accounts_of(user).await.unwrap()[0].tokens == tokens(Some("aBc"), None));
    assert!(replace(tokens(Some("aBc"), None), after()).await.unwrap());
    assert!(store.accounts_of(user).await.unwrap()[0].tokens == tokens(Some("aBd"), None));
}

fn tokens(access: Option<&str>, refresh: Option<&str>) -> ProviderTokens {
    let mut tokens = ProviderTokens::default();
    (tokens.access_token, tokens.refresh_token) = (access.map(str::to_owned), refresh.map(str::to_owned));
    tokens
}

#[tokio::test]
async fn tables_of_v3_are_read() {
    let Some(place) = Place::with(V3).await else { return };
    let store = place.open(SqlOptions::new().tables(Tables::v3()).complete(true)).await.unwrap();
    let found = store.session_and_user(&SessionKey::new("st")).await.unwrap().unwrap();
    assert_eq!((found.session.expires, found.session.created), (at(5000), Some(at(0))));
    assert_eq!(found.user.name.as_deref(), Some("Old"));
    assert_eq!(store.user_by_account("github", "1").await.unwrap().as_ref(), Some(&*found.user));
    let accounts = store.accounts_of("1").await.unwrap();
    assert_eq!((&*accounts[0].kind, accounts[0].tokens.expires_at), ("oauth", Some(1_768_478_409)));
    let key = SessionKey::new("st");
    let refused = [
        store.create_user(&User::new("x"), None).await.unwrap_err(),
        store.update_user("1", UserChange::default()).await.unwrap_err(),
        store.delete_user("1").await.unwrap_err(),
        store.link_account("1", &Account::new("oauth", "a", "1")).await.unwrap_err(),
        store
            .replace_tokens("github", "1", &accounts[0].tokens, &ProviderTokens::default())
            .await
            .unwrap_err(),
        store.create_session(&StoredSession::new(key.clone(), "1", at(0)), None).await.unwrap_err(),
        store.extend_session(&key, at(9000), at(0)).await.unwrap_err(),
        store.end_session(&key).await.unwrap_err(),
        store.create_verification_token(&VerificationToken::new("a", "b", at(0))).await.unwrap_err(),
        store.delete_expired_sessions(at(9000), 5).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(why.contains("NextAuth.js v3 are only read"), "{why}");
    }
    assert!(store.report().iter().any(|line| line.contains("they are read, and nothing is written")));
}

#[tokio::test]
async fn what_cannot_be_used_is_said() {
    let Some(place) = Place::with("create table users (id integer primary key)").await else { return };
    let store = place.store().await;
    let report = store.report();
    for part in
        ["users has no column email: users and their sessions cannot be found", "there is no table sessions"]
    {
        assert!(report.iter().any(|line| line.contains(part)), "{part}: {report:#?}");
    }
    let error = store.user("1").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let odd = "create table sessions (\"sessionToken\" text, \"userId\" bytea, expires timestamptz)";
    place.run(odd).await;
    let report = place.store().await.report();
    assert!(report.iter().any(|line| line.contains("sessions.userId is of the type bytea")), "{report:#?}");
}

#[tokio::test]
async fn duplicates_are_in_the_way_of_keys() {
    let tables = PG_ADAPTER.replace("OWN_ID", "serial primary key").replace("USER_ID", "integer");
    let Some(place) = Place::with(&tables).await else { return };
    place.run("insert into users (email) values ('twice@example.com'), ('twice@example.com')").await;
    let error = place.open(SqlOptions::new().complete(true)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    let store = place.store().await;
    assert!(!columns(&store).await.iter().any(|column| column.contains("extra")), "all or nothing");
    assert!(store.user_by_email("twice@example.com").await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let options = SqlOptions::new().acquire_timeout(std::time::Duration::from_millis(300));
    let url = "postgres://nobody:hunter2@127.0.0.1:1/x";
    let error = PostgresStore::connect_with(url, options.clone()).await.unwrap_err();
    checks::refused_at("127.0.0.1:1", &error);
    let lazy = sqlx::postgres::PgPoolOptions::new().acquire_timeout(std::time::Duration::from_millis(300));
    let error = PostgresStore::new(lazy.connect_lazy(url).unwrap(), options).await.unwrap_err();
    checks::refused_at("127.0.0.1:1", &error);
}

/// A pool without a free connection, and a statement that takes too long, are faults that pass.
#[tokio::test]
async fn exhaustion_passes() {
    let Some(place) = Place::new().await else { return };
    let timeout = std::time::Duration::from_millis(200);
    let options = SqlOptions::new().max_connections(1).acquire_timeout(timeout).statement_timeout(timeout);
    let store = place.open(options).await.unwrap();
    let user = checks::user(&store, "a@example.com").await;
    let held = store.pool().acquire().await.unwrap();
    let error = store.user(&user.id).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(format!("{error:?}").contains("no connection in time"), "{error:?}");
    drop(held);
    assert!(store.user(&user.id).await.unwrap().is_some());
    let mut blocker = PgPool::connect(&place.url).await.unwrap().begin().await.unwrap();
    sqlx::query("select 1 from users for update").execute(&mut *blocker).await.unwrap();
    assert_eq!(store.delete_user(&user.id).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    blocker.rollback().await.unwrap();
    assert!(store.delete_user(&user.id).await.unwrap());
}

/// The server ends all connections, as it does when it is restarted: look-ups do not notice.
#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_made_again() {
    let Some(place) = Place::new().await else { return };
    let store = place.store().await;
    let user = checks::user(&store, "a@example.com").await;
    let busy = (0..8).map(|_| store.user(&user.id));
    futures_util::future::join_all(busy).await;
    let admin = PgPool::connect(&place.url).await.unwrap();
    for _ in 0..5 {
        let mut backends = Vec::new();
        let mut held = Vec::new();
        while let Some(mut connection) = store.pool().try_acquire() {
            let pid: i32 =
                sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *connection).await.unwrap();
            backends.push(pid);
            held.push(connection);
        }
        drop(held);
        for pid in backends {
            let ended: bool = sqlx::query_scalar("select pg_terminate_backend($1)")
                .bind(pid)
                .fetch_one(&admin)
                .await
                .unwrap();
            assert!(ended);
        }
        let found = futures_util::future::join_all((0..20).map(|_| store.user(&user.id))).await;
        for found in found {
            assert_eq!(found.unwrap().as_ref(), Some(&user));
        }
    }
}
