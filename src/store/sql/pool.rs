//! What the pools have in common that we make, and how connections are taken from any.

use std::time::Duration;

use sqlx::{
    Connection as _, Database,
    pool::{PoolConnection, PoolOptions},
};

use super::{
    backend::{Backend, Connection},
    fault::{Fault, Outcome},
    options::SqlOptions,
};
use crate::store::{Result, StoreError};

/// A connection that was idle for longer is asked whether it still is one.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long to wait for a file that is locked.
const LOCKED_FOR: Duration = Duration::from_millis(20);

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

/// The options in a URL, which should look like `form`. What is wrong with it is said without it: it may hold a
/// password.
pub(in crate::store) fn parse<T>(parsed: std::result::Result<T, sqlx::Error>, form: &str) -> Result<T> {
    parsed.map_err(|error| {
        StoreError::configuration(format!("the URL of the database cannot be read ({error}): write {form}"))
    })
}

/// Where a server is.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(in crate::store) fn place(socket: Option<&std::path::PathBuf>, host: &str, port: u16) -> String {
    match socket {
        Some(socket) => socket.display().to_string(),
        None => format!("{host}:{port}"),
    }
}

pub(super) async fn acquire<B: Backend>(
    pool: &sqlx::Pool<B::Database>,
) -> Outcome<PoolConnection<B::Database>> {
    pool.acquire().await.map_err(|error| Fault::Unconnected(B::place(&pool.connect_options()), error))
}

/// The first connection. A pool tries again what is refused until its time is over, and says that it took too long: so
/// it is tried here once more, to say why.
pub(super) async fn first<B: Backend>(
    pool: &sqlx::Pool<B::Database>,
) -> Outcome<PoolConnection<B::Database>> {
    let mut waited = Duration::ZERO;
    let (place, error) = loop {
        match acquire::<B>(pool).await {
            // Of several that open a new file of SQLite at once, one gives it its journal; SQLite does not wait for that.
            Err(Fault::Unconnected(_, error))
                if is_locked(&error) && waited < pool.options().get_acquire_timeout() =>
            {
                waited += LOCKED_FOR;
                tokio::time::sleep(LOCKED_FOR).await;
            }
            Err(Fault::Unconnected(place, error @ sqlx::Error::PoolTimedOut)) => break (place, error),
            outcome => return outcome,
        }
    };
    let options = pool.connect_options();
    let attempt = <Connection<B> as sqlx::Connection>::connect_with(&options);
    match tokio::time::timeout(pool.options().get_acquire_timeout(), attempt).await {
        Ok(Err(why)) => Err(Fault::Unconnected(place, why)),
        // It hangs, or takes connections that the pool could not have.
        Ok(Ok(_)) | Err(_) => Err(Fault::Unconnected(place, error)),
    }
}

/// `SQLITE_BUSY`.
fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "5")
}
