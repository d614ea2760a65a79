//! How statements get to the database: by a connection of the pool, or in a transaction.

use std::time::Duration;

use sqlx::Connection as _;
use tokio::sync::SemaphorePermit;

use super::{
    SqlStore,
    backend::{Backend, Ran},
    dialect::Dialect,
    fault::Fault,
    statement::{Arg, Row, Statement},
};

/// How often something is tried again that had to give way.
pub(super) const TRIES: u32 = 12;

/// Does `$attempt` again while the database has it give way to others.
macro_rules! again {
    ($attempt:expr) => {{
        let mut tries = 0;
        loop {
            match $attempt.await {
                Err(fault) if fault.gave_way() && tries < $crate::store::sql::connection::TRIES => {
                    tries += 1;
                    $crate::store::sql::connection::pause(tries).await;
                }
                outcome => break outcome,
            }
        }
    }};
}

pub(super) use again;

/// Waits a while that differs from that of others.
pub(super) async fn pause(tries: u32) {
    let spread = u64::from(uuid::Uuid::new_v4().as_bytes()[0] % 8);
    tokio::time::sleep(Duration::from_millis(u64::from(tries) * (1 + spread))).await;
}

/// A transaction. Dropped before its end, it has not been.
pub(super) struct Transaction<'a, B: Backend> {
    // In this order: the next one's turn comes when this is rolled back.
    inner: sqlx::Transaction<'static, B::Database>,
    _turn: Option<SemaphorePermit<'a>>,
}

impl<B: Backend> SqlStore<B> {
    /// What a statement answers that changes nothing. If the connection is found to be dead, another is taken.
    pub(super) async fn read(&self, statement: &Statement, args: &[Arg<'_>]) -> Result<Vec<Row>, Fault> {
        check::<B>(args)?;
        let mut connection = self.pool.acquire().await?;
        let fault = match B::rows(&mut connection, statement, args).await.map_err(Fault::from) {
            Err(fault) if fault.lost_connection() => fault,
            outcome => return outcome,
        };
        connection.close_on_drop();
        drop(connection);
        // After a restart of the server all that were idle are dead.
        for _ in 0..=self.pool.options().get_max_connections() {
            let mut connection = self.pool.acquire().await?;
            if connection.ping().await.is_ok() {
                return Ok(B::rows(&mut connection, statement, args).await?);
            }
            connection.close_on_drop();
        }
        Err(fault)
    }

    /// Changes rows, and says how many.
    pub(super) async fn write(&self, statement: &Statement, args: &[Arg<'_>]) -> Result<u64, Fault> {
        check::<B>(args)?;
        let _turn = self.turn().await;
        let mut connection = self.pool.acquire().await?;
        Ok(B::run(&mut connection, statement, args).await?.rows)
    }

    /// Changes rows, and answers something about them.
    pub(super) async fn take(&self, statement: &Statement, args: &[Arg<'_>]) -> Result<Vec<Row>, Fault> {
        check::<B>(args)?;
        let _turn = self.turn().await;
        let mut connection = self.pool.acquire().await?;
        Ok(B::rows(&mut connection, statement, args).await?)
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'_, B>, Fault> {
        let turn = self.turn().await;
        Ok(Transaction { inner: self.pool.begin_with(B::BEGIN).await?, _turn: turn })
    }

    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.writer.as_ref()?.acquire().await.ok()
    }
}

impl<B: Backend> Transaction<'_, B> {
    pub(super) async fn rows(&mut self, statement: &Statement, args: &[Arg<'_>]) -> Result<Vec<Row>, Fault> {
        check::<B>(args)?;
        Ok(B::rows(&mut self.inner, statement, args).await?)
    }

    pub(super) async fn run(&mut self, statement: &Statement, args: &[Arg<'_>]) -> Result<Ran, Fault> {
        check::<B>(args)?;
        Ok(B::run(&mut self.inner, statement, args).await?)
    }

    /// Holds up others that are about to make the same, until this is over. For tables whose keys do not keep
    /// two of them apart; those who write to them otherwise are not held up.
    pub(super) async fn hold(&mut self, what: [&str; 3]) -> Result<(), Fault> {
        // In SQLite there is no other; in MySQL the locking read that follows keeps others out.
        if B::DIALECT == Dialect::Postgres {
            let statement = Statement::new(B::DIALECT, "select pg_advisory_xact_lock($1)::text", &[]);
            B::rows(&mut self.inner, &statement, &[Arg::from(number_of(what))]).await?;
        }
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<(), Fault> {
        Ok(self.inner.commit().await?)
    }
}

/// PostgreSQL has no texts with a NUL, and breaks off what asks for one.
fn check<B: Backend>(args: &[Arg<'_>]) -> Result<(), Fault> {
    let has_nul = |arg: &Arg<'_>| matches!(arg, Arg::Text(Some(text)) if text.contains('\0'));
    if B::DIALECT == Dialect::Postgres && args.iter().any(has_nul) { Err(Fault::Unstorable) } else { Ok(()) }
}

/// The same for the same in every process.
fn number_of(what: [&str; 3]) -> i64 {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for part in what {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let hash = hasher.finalize();
    i64::from_be_bytes(std::array::from_fn(|index| hash[index]))
}
