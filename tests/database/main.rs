//! Sessions in a store, seen from outside: through the layer, the endpoints and the handle of a request, on each
//! store. What a store has to do by itself is checked in `tests/stores`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(feature = "conformance")]

#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

#[path = "../stores/backend.rs"]
#[allow(dead_code, unused_macros, unused_imports, reason = "shared with the tests of the stores themselves")]
mod backend;
#[path = "../stores/memory.rs"]
mod memory;
#[cfg(feature = "mysql")]
#[path = "../stores/mysql.rs"]
mod mysql;
#[cfg(feature = "postgres")]
#[path = "../stores/postgres.rs"]
mod postgres;
#[cfg(feature = "redis")]
#[path = "../stores/redis.rs"]
mod redis;
#[cfg(feature = "redis")]
#[path = "../stores/redis_cluster.rs"]
mod redis_cluster;
#[cfg(feature = "sqlite")]
#[path = "../stores/sqlite.rs"]
mod sqlite;

#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;

mod accounts;
#[cfg(feature = "cache")]
mod caches;
mod cancelled;
mod codes;
mod confirm;
mod crashes;
mod faults;
#[allow(dead_code, reason = "other tests use the rest")]
mod gate;
mod ids;
mod life;
mod lists;
mod logs;
mod mail;
mod mail_limits;
#[cfg(feature = "oauth")]
mod provider;
#[cfg(feature = "oauth")]
mod provider_tokens;
mod revocations;
mod site;
mod stores;
mod sweeps;
mod tenants;
mod tokens;
mod wire;
