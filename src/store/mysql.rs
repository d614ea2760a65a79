use std::{str::FromStr, sync::Arc};

use sqlx::{AssertSqlSafe, Executor, MySql, MySqlConnection, MySqlPool, mysql::MySqlConnectOptions};

use super::{
    Result,
    sql::{self, SqlOptions, SqlStore, backend, ports},
};

/// Users and sessions in MySQL 8 or MariaDB 10.6 and newer, in tables of InnoDB.
///
/// ```no_run
/// use portcullis::store::{MySqlStore, StoreError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let store = MySqlStore::connect("mysql://app:secret@localhost/app").await?;
/// # Ok(())
/// # }
/// ```
///
/// Texts are compared by code point, in our own tables by their collation. Keys, ids and names of providers have
/// at most 255 letters, e-mail addresses 320. A pool of the application must use UTC (sqlx does unless told
/// otherwise) and the isolation `repeatable read`, which is the server's default.
#[derive(Debug, Clone)]
pub struct MySqlStore(Arc<SqlStore<Backend>>);

const FORM: &str =
    "mysql://user:password@host:3306/database, with %40 for an @ in the password, and %2F for a /";

#[derive(Debug)]
struct Backend;

backend!(
    Backend: MySql, MySql, "start transaction", |done| i64::try_from(done.last_insert_id()).unwrap_or_default(),
    |server| sql::place(server.get_socket(), server.get_host(), server.get_port())
);
ports!(MySqlStore);

impl MySqlStore {
    /// The database of this URL (`mysql://` or `mariadb://`), with the tables of Auth.js, which are made if they
    /// are not there.
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
        let connect = sql::parse(MySqlConnectOptions::from_str(url), FORM)?;
        let mut session = "set session transaction isolation level repeatable read".to_owned();
        let wait = options.statement_timeout.map(|timeout| timeout.as_secs().max(1));
        let wait = wait.map(|seconds| format!("set session innodb_lock_wait_timeout = {seconds}"));
        let strict = "set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')";
        session =
            [Some(session), wait, Some(strict.into())].into_iter().flatten().collect::<Vec<_>>().join(";\n");
        let session: Arc<str> = session.into();
        let pool = sql::pool(&options).after_connect(move |connection: &mut MySqlConnection, _| {
            let session = Arc::clone(&session);
            Box::pin(async move {
                for statement in session.split(";\n") {
                    connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
                }
                Ok(())
            })
        });
        Self::new(pool.connect_lazy_with(connect), options).await
    }

    /// In a pool of the application.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub async fn new(pool: MySqlPool, options: SqlOptions) -> Result<Self> {
        Ok(Self(Arc::new(SqlStore::open(pool, &options.setup).await?)))
    }

    /// The pool.
    pub fn pool(&self) -> &MySqlPool {
        self.0.pool()
    }
}
