use std::sync::Arc;

use portcullis::store::RedisStore;

use crate::{
    backend::{Backend, Everything},
    services::{given, unique},
};

pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis_cluster";

    async fn place() -> Option<String> {
        Some(format!("{} {}", given("TEST_REDIS_CLUSTER_URLS", Self::NAME)?, unique()))
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (servers, namespace) = place.split_once(' ').unwrap();
        Arc::new(RedisStore::connect_cluster(servers.split(',')).await.unwrap().namespace(namespace))
    }
}
