use std::{sync::Arc, time::Duration};

use portcullis::store::{MySqlStore, SqlOptions, Tables};

use crate::{
    backend::{Backend, Everything},
    services::{given, unique},
};

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Fixture;

/// Tables of its own in the database of the server, by their prefix.
impl Backend for Fixture {
    const NAME: &str = "mysql";

    async fn place() -> Option<String> {
        let server = given("TEST_MYSQL_URL", Self::NAME)?;
        Some(format!("{server} {}_", unique()))
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (server, prefix) = place.split_once(' ').unwrap();
        // Many of them are open at once.
        let options = SqlOptions::new().tables(Tables::prefix(prefix)).max_connections(4);
        // Fifty racers wait for these four in turn, which on a busy machine takes longer than a request may.
        let options = options.acquire_timeout(PATIENCE).statement_timeout(PATIENCE);
        Arc::new(MySqlStore::connect_with(server, options).await.unwrap())
    }
}
