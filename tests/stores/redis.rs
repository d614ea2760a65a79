use std::sync::Arc;

use portcullis::store::RedisStore;

use crate::{
    backend::{Backend, Everything},
    services::{given, unique},
};

pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis";

    async fn place() -> Option<String> {
        Some(format!("{} {}", given("TEST_REDIS_URL", Self::NAME)?, unique()))
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (server, namespace) = place.split_once(' ').unwrap();
        Arc::new(RedisStore::connect(server).await.unwrap().namespace(namespace))
    }
}
