//! `@auth/pg-adapter` and `PostgresStore` on one database.

use portcullis::store::{PostgresStore, SessionStore};
use serde_json::json;
use uuid::Uuid;

use crate::{contract, peer::Peer, server};

/// The tables of the adapter's documentation, with ids of this type; `integer` is what stands there.
fn documented(id: &str, user_id: &str) -> String {
    format!(
        r#"
        CREATE TABLE verification_token (
          identifier TEXT NOT NULL, expires TIMESTAMPTZ NOT NULL, token TEXT NOT NULL, PRIMARY KEY (identifier, token)
        );
        CREATE TABLE accounts (
          id SERIAL PRIMARY KEY, "userId" {user_id} NOT NULL, type VARCHAR(255) NOT NULL,
          provider VARCHAR(255) NOT NULL, "providerAccountId" VARCHAR(255) NOT NULL, refresh_token TEXT,
          access_token TEXT, expires_at BIGINT, id_token TEXT, scope TEXT, session_state TEXT, token_type TEXT
        );
        CREATE TABLE sessions (
          id SERIAL PRIMARY KEY, "userId" {user_id} NOT NULL, expires TIMESTAMPTZ NOT NULL,
          "sessionToken" VARCHAR(255) NOT NULL
        );
        CREATE TABLE users (
          id {id} PRIMARY KEY, name VARCHAR(255), email VARCHAR(255), "emailVerified" TIMESTAMPTZ, image TEXT
        );"#
    )
}

#[tokio::test]
async fn tables_of_the_adapters_documentation() {
    shared(Some(documented("SERIAL", "INTEGER"))).await;
}

#[tokio::test]
async fn tables_with_uuids() {
    shared(Some(documented("UUID DEFAULT gen_random_uuid()", "UUID"))).await;
}

#[tokio::test]
async fn tables_with_text_ids() {
    shared(Some(documented("TEXT DEFAULT gen_random_uuid()::text", "TEXT"))).await;
}

#[tokio::test]
async fn tables_of_ours() {
    shared(None).await;
}

/// In a database of this test's own, with these tables or those that our store makes.
async fn shared(tables: Option<String>) {
    let Some(url) = server::given("TEST_POSTGRES_URL", "PostgreSQL was not shared with Node") else { return };
    let Some(mut anywhere) = Peer::start(&["--pg", &url]) else { return };
    let name = format!("shared_{}", Uuid::new_v4().simple());
    anywhere.raw(json!([format!("CREATE DATABASE {name}")]));
    let url = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
    let mut node = Peer::start(&["--pg", &url]).unwrap();
    if let Some(tables) = &tables {
        node.raw(json!([tables]));
    }
    let store = PostgresStore::connect(&url).await.unwrap();
    assert_eq!(store.report().is_empty(), tables.is_none(), "{:#?}", store.report());
    contract::holds(&mut node, &store).await;
    drop(node);
    drop(store);
    anywhere.raw(json!([format!("DROP DATABASE {name} WITH (FORCE)")]));
}
