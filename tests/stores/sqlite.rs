use std::{fs, sync::Arc};

use portcullis::store::SqliteStore;

use crate::{
    backend::{Backend, Everything},
    services::unique,
};

pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "sqlite";

    async fn place() -> Option<String> {
        Some(format!("{}/{}.db", env!("CARGO_TARGET_TMPDIR"), unique()))
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        Arc::new(SqliteStore::connect(&format!("sqlite://{place}")).await.unwrap())
    }

    async fn remove(place: &str) {
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{place}{end}"));
        }
    }
}
