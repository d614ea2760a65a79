use std::{str::FromStr, sync::Arc};

use sqlx::{PgPool, Postgres, postgres::PgConnectOptions};

use super::{
    Result,
    sql::{self, SqlOptions, SqlStore, backend, ports},
};

/// Users and sessions in PostgreSQL 13 or newer: for several instances, and for the tables of an Auth.js site.
///
/// ```no_run
/// use portcullis::store::{PostgresStore, SessionStore, SqlOptions, StoreError, Tables};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// // Our own tables, made if there are none; `@auth/pg-adapter` can use them as well.
/// let store = PostgresStore::connect("postgres://app@localhost/app").await?;
///
/// // The tables of a site that Prisma has made: used as they are.
/// let options = SqlOptions::new().tables(Tables::prisma());
/// let shared = PostgresStore::connect_with("postgres://app@localhost/site", options).await?;
/// for line in shared.report() {
///     eprintln!("{line}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// Tables are looked for where statements look: in the `search_path` of the connection. Ids may be text, integers
/// or UUIDs. After a restart of the server the pool connects again; what was asked meanwhile fails as
/// [`Unavailable`](super::StoreErrorKind::Unavailable), and look-ups are asked once more.
#[derive(Debug, Clone)]
pub struct PostgresStore(Arc<SqlStore<Backend>>);

const FORM: &str =
    "postgres://user:password@host:5432/database, with %40 for an @ in the password, and %2F for a /";

#[derive(Debug)]
struct Backend;

backend!(
    Backend: Postgres, Postgres, "begin", |done| i64::default(),
    |server| sql::place(server.get_socket(), server.get_host(), server.get_port())
);
ports!(PostgresStore);

impl PostgresStore {
    /// The database of this URL, with the tables of Auth.js, which are made if they are not there.
    ///
    /// # Errors
    ///
    /// [`Configuration`](super::StoreErrorKind::Configuration) if the URL cannot be read,
    /// [`Unavailable`](super::StoreErrorKind::Unavailable) if the server cannot be reached,
    /// [`Corrupt`](super::StoreErrorKind::Corrupt) if the tables cannot be used.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, SqlOptions::new()).await
    }

    /// Likewise, with options.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: SqlOptions) -> Result<Self> {
        let mut connect = sql::parse(PgConnectOptions::from_str(url), FORM)?;
        if let Some(timeout) = options.statement_timeout {
            connect = connect.options([("statement_timeout", timeout.as_millis().to_string())]);
        }
        Self::new(sql::pool(&options).connect_lazy_with(connect), options).await
    }

    /// In a pool of the application.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub async fn new(pool: PgPool, options: SqlOptions) -> Result<Self> {
        Ok(Self(Arc::new(SqlStore::open(pool, &options.setup).await?)))
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        self.0.pool()
    }
}
