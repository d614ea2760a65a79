use std::sync::Arc;

use portcullis::store::RedisStore;

use crate::backend::{Backend, Everything, left_out};

/// A server, and keys of our own layout.
pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis";

    async fn place() -> Option<String> {
        place("Redis", "TEST_REDIS_URL")
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (url, name) = parts(place);
        Arc::new(RedisStore::connect(url).await.unwrap().namespace(name))
    }
}

/// The address and a name that nobody else has.
pub fn place(what: &str, variable: &str) -> Option<String> {
    let Ok(url) = std::env::var(variable) else {
        left_out(what, variable);
        return None;
    };
    Some(format!("{url} kit-{}", uuid::Uuid::new_v4()))
}

pub fn parts(place: &str) -> (&str, &str) {
    place.split_once(' ').unwrap()
}
