use std::sync::Arc;

use portcullis::store::MemoryStore;

use crate::backend::{Backend, Everything};

pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "memory";

    async fn place() -> Option<String> {
        Some(String::new())
    }

    async fn open(_: &str) -> Arc<dyn Everything> {
        Arc::new(MemoryStore::new())
    }
}
