use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    Result, StoreError,
    sql::{self, SqlOptions, SqlStore, backend, ports},
};

/// Users and sessions in a file of SQLite, or in memory: for one machine.
///
/// ```
/// use portcullis::{User, store::{SqliteStore, StoreError, UserStore}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// // A file: `sqlite://auth.db`, which is made if it is not there.
/// let store = SqliteStore::connect("sqlite::memory:").await?;
/// let user = store.create_user(&User::new("").email("jsmith@example.com"), None).await?;
/// assert_eq!(store.user_by_email("jsmith@example.com").await?, Some(user));
/// # Ok(())
/// # }
/// ```
///
/// Writes wait for each other, in this process in the order in which they came, and readers for nobody (WAL). A
/// commit survives a crash of the program; one of the machine can take the last commits with it
/// (`synchronous = normal`), never the file.
///
/// The first gigabyte of the file is mapped into memory (not on 32 bits; `mmap_size`), so that a request costs the same
/// however many sessions there are. A disk that fails under a mapped file ends the process, where it would be an error
/// otherwise; so does a program that cuts the file off while it is open. A pool of the application
/// ([`new`](Self::new)) maps nothing unless it says so.
#[derive(Debug, Clone)]
pub struct SqliteStore(Arc<SqlStore<Backend>>);

const FORM: &str = "sqlite://auth.db, or sqlite::memory:";

/// So many bytes of the file are read from where the system keeps them, and not copied. That takes addresses, of which
/// 32 bits have too few, and no memory of its own.
const MAPPED: &str = if cfg!(target_pointer_width = "64") { "1073741824" } else { "0" };

#[derive(Debug)]
struct Backend;

backend!(
    Backend: Sqlite, Sqlite, "begin immediate", |done| done.last_insert_rowid(),
    |file| file.get_filename().display().to_string()
);
ports!(SqliteStore);

impl SqliteStore {
    /// The database of this URL (`sqlite://auth.db`, `sqlite::memory:`), with the tables of Auth.js, which are
    /// made if they are not there.
    ///
    /// # Errors
    ///
    /// [`Configuration`](super::StoreErrorKind::Configuration) if the URL cannot be read or names no file,
    /// [`Unavailable`](super::StoreErrorKind::Unavailable) if the file cannot be opened,
    /// [`Corrupt`](super::StoreErrorKind::Corrupt) if it is no database or its tables cannot be used.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, SqlOptions::new()).await
    }

    /// Likewise, with options.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: SqlOptions) -> Result<Self> {
        let file = url.strip_prefix("sqlite:").unwrap_or(url).trim_start_matches('/');
        if file.split('?').next().is_none_or(str::is_empty) {
            // SQLite would make a database for each connection, and remove it with that.
            return Err(StoreError::configuration(format!("the URL names no file: write {FORM}")));
        }
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let mut connect = sql::parse(SqliteConnectOptions::from_str(url), FORM)?.foreign_keys(true);
        if let Some(timeout) = options.statement_timeout {
            connect = connect.busy_timeout(timeout);
        }
        let pool = if in_memory {
            // Another connection would have another database, and without one there is none.
            let forever = None::<Duration>;
            sql::pool(&options)
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(forever)
                .max_lifetime(forever)
                .connect_lazy_with(connect.shared_cache(false))
        } else {
            // Unless the URL says what is to be done.
            let connect = if url.contains("mode=") { connect } else { connect.create_if_missing(true) };
            let connect = connect.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal);
            sql::pool(&options).connect_lazy_with(connect.pragma("mmap_size", MAPPED))
        };
        Self::new(pool, options).await
    }

    /// In a pool of the application, whose connections should have foreign keys on and wait when the file is
    /// locked.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub async fn new(pool: SqlitePool, options: SqlOptions) -> Result<Self> {
        Ok(Self(Arc::new(SqlStore::open(pool, &options.setup).await?)))
    }

    /// The pool.
    pub fn pool(&self) -> &SqlitePool {
        self.0.pool()
    }
}
