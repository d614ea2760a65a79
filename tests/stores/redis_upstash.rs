use std::sync::Arc;

use portcullis::store::{RedisStore, UpstashKeys};

use crate::{
    backend::{Backend, Everything},
    services::{given, unique},
};

/// A server, and the keys of the Upstash adapter.
pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis_upstash";

    async fn place() -> Option<String> {
        Some(format!("{} {}", given("TEST_REDIS_URL", Self::NAME)?, unique()))
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (url, name) = place.split_once(' ').unwrap();
        let keys = UpstashKeys::new().base_key_prefix(format!("{name}:"));
        Arc::new(RedisStore::connect(url).await.unwrap().upstash(&keys))
    }
}
