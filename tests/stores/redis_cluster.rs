use std::sync::Arc;

use portcullis::store::RedisStore;

use crate::{
    backend::{Backend, Everything},
    redis::{parts, place},
};

/// A cluster, and keys of our own layout.
pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "redis_cluster";

    async fn place() -> Option<String> {
        place("Redis Cluster", "TEST_REDIS_CLUSTER_URLS")
    }

    async fn open(place: &str) -> Arc<dyn Everything> {
        let (urls, name) = parts(place);
        Arc::new(RedisStore::connect_cluster(urls.split(',')).await.unwrap().namespace(name))
    }
}
