//! Stores in SQL databases: what they share with each other and with Node. SQLite always; PostgreSQL and MariaDB
//! where `TEST_POSTGRES_URL` and `TEST_MYSQL_URL` name a server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[allow(dead_code, reason = "what a database needs that is not built")]
mod checks;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
#[cfg(feature = "sqlite")]
mod sqlite;
mod urls;
