use std::sync::Arc;

use portcullis::store::{RedisStore, UpstashKeys};

use crate::{
    backend::{Backend, Everything},
    redis::{parts, place},
};

/// A server, and the keys of the Upstash adapter.
pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis_upstash";

    async fn place() -> Option<String> {
        place("Redis with the keys of Node", "TEST_REDIS_URL")
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (url, name) = parts(place);
        let keys = UpstashKeys::new().base_key_prefix(format!("{name}:"));
        Arc::new(RedisStore::connect(url).await.unwrap().upstash(&keys))
    }
}
