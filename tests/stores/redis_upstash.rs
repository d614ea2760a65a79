use std::sync::Arc;

use portcullis::store::{RedisStore, UpstashKeys};

use crate::backend::{Backend, Everything, server, unique};

/// A server, and the keys of the Upstash adapter.
pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis_upstash";

    async fn place() -> Option<String> {
        Some(format!("{} {}", server(Self::NAME, "TEST_REDIS_URL")?, unique()))
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (url, name) = place.split_once(' ').unwrap();
        let keys = UpstashKeys::new().base_key_prefix(format!("{name}:"));
        Arc::new(RedisStore::connect(url).await.unwrap().upstash(&keys))
    }
}
