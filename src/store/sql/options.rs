use std::time::Duration;

use super::{schema::Setup, tables::Tables};

/// How a store in an SQL database is made.
///
/// ```
/// use std::time::Duration;
/// use portcullis::store::{SqlOptions, Tables};
///
/// // The tables of a site that Auth.js and Prisma have made: nothing in them is changed.
/// let options = SqlOptions::new().tables(Tables::prisma()).migrate(false).max_connections(20);
/// # let _ = options.acquire_timeout(Duration::from_secs(1));
/// ```
#[derive(Debug, Clone)]
pub struct SqlOptions {
    pub(in crate::store) setup: Setup,
    pub(in crate::store) max_connections: u32,
    pub(in crate::store) acquire_timeout: Duration,
    pub(in crate::store) statement_timeout: Option<Duration>,
}

impl SqlOptions {
    /// What suits most: the tables of Auth.js, made if there are none.
    pub fn new() -> Self {
        Self {
            setup: Setup { tables: Tables::default(), migrate: true, complete: false },
            max_connections: 10,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Some(Duration::from_secs(5)),
        }
    }

    /// What the tables are called: [`Tables::authjs`] unless set.
    #[must_use]
    pub fn tables(mut self, tables: Tables) -> Self {
        self.setup.tables = tables;
        self
    }

    /// Whether to make the tables if none of them is there, and to bring those that we have made up to date; yes
    /// unless set. Several instances may start at once. Tables that others have made are never touched by this.
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.setup.migrate = migrate;
        self
    }

    /// Whether to add to tables that others have made what they lack: the columns, keys and indexes that
    /// [`report`](crate::store::SessionStore::report) names, and the table of revocations; no unless set. Nothing that
    /// is there is changed. It fails with [`Conflict`](crate::store::StoreErrorKind::Conflict) if rows are in the
    /// way of a key, and takes as long as the database needs for an index.
    #[must_use]
    pub fn complete(mut self, complete: bool) -> Self {
        self.setup.complete = complete;
        self
    }

    /// How many connections a pool that is made from a URL has: 10 unless set.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// How long a pool that is made from a URL waits for a free connection or a new one, before the store is
    /// unavailable: 3 seconds unless set.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// How long a statement may take (PostgreSQL) or wait for the writes of others (SQLite, MySQL), before the
    /// store is unavailable: 5 seconds unless set, in a pool that is made from a URL. `None` leaves it to the
    /// server, which PgBouncer may need.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.statement_timeout = timeout.into();
        self
    }
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self::new()
    }
}
