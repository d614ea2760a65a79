//! `RedisStore` on real servers: the one under `TEST_REDIS_URL`, the cluster under `TEST_REDIS_CLUSTER_URLS`, and
//! servers that the tests start and kill themselves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(missing_docs, reason = "these are tests")]

mod cancelled;
mod contract;
mod ids;
mod life;
mod node;
mod races;
mod restart;
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
mod support;
