//! What the pools have in common that we make.

use std::time::Duration;

use sqlx::{Connection as _, Database, pool::PoolOptions};

use super::options::SqlOptions;
use crate::store::{Result, StoreError};

/// A connection that was idle for longer is asked whether it still is one.
const TRUSTED: Duration = Duration::from_secs(1);

/// A pool that gets over a restart of its server. It connects when it is first asked.
pub(in crate::store) fn pool<D: Database>(options: &SqlOptions) -> PoolOptions<D> {
    PoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection: &mut D::Connection, about| {
            Box::pin(async move { Ok(about.idle_for <= TRUSTED || connection.ping().await.is_ok()) })
        })
}

/// The options in a URL. What is wrong with it is said without it: it may hold a password.
pub(in crate::store) fn parse<T>(parsed: std::result::Result<T, sqlx::Error>) -> Result<T> {
    parsed.map_err(|error| StoreError::corrupt(format!("the URL of the database cannot be read: {error}")))
}
