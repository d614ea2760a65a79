//! Transactions that are over when they are dropped.
//!
//! Those of sqlx 0.9 are not: whoever drops the future that begins one puts the connection back into the pool with
//! the transaction open, and what the next ones write with it is never committed.

use sqlx::pool::PoolConnection;
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};

use super::{
    backend::{Backend, Ran},
    connection::check,
    dialect::Dialect,
    fault::Outcome,
    statement::{Arg, Row, Statement},
};

/// A transaction. Dropped before its end, it has not been.
pub(super) struct Transaction<B: Backend> {
    /// `None` once it has been committed.
    open: Option<Open<B>>,
}

struct Open<B: Backend> {
    connection: PoolConnection<B::Database>,
    /// The next one's turn comes when this is over.
    _turn: Option<OwnedSemaphorePermit>,
}

impl<B: Backend> Transaction<B> {
    pub(super) async fn begin(
        connection: PoolConnection<B::Database>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Outcome<Self> {
        // Kept before it is begun: whoever gives up meanwhile does not know whether it was.
        let mut open = Self { open: Some(Open { connection, _turn: turn }) };
        B::script(open.connection()?, B::BEGIN).await?;
        Ok(open)
    }

    pub(super) async fn rows(&mut self, statement: &Statement, args: &[Arg<'_>]) -> Outcome<Vec<Row>> {
        check::<B>(args)?;
        Ok(B::rows(self.connection()?, statement, args).await?)
    }

    pub(super) async fn run(&mut self, statement: &Statement, args: &[Arg<'_>]) -> Outcome<Ran> {
        check::<B>(args)?;
        Ok(B::run(self.connection()?, statement, args).await?)
    }

    /// Holds up others that are about to make the same, until this is over. For tables whose keys do not keep
    /// two of them apart; those who write to them otherwise are not held up.
    pub(super) async fn hold(&mut self, what: [&str; 3]) -> Outcome<()> {
        // In SQLite there is no other; in MySQL the locking read that follows keeps others out.
        if B::DIALECT == Dialect::Postgres {
            self.hold_number(number_of(what)).await?;
        }
        Ok(())
    }

    /// Likewise, for what has this number.
    pub(super) async fn hold_number(&mut self, number: i64) -> Outcome<()> {
        let statement = Statement::new(B::DIALECT, "select pg_advisory_xact_lock($1)::text", &[]);
        B::rows(self.connection()?, &statement, &[Arg::from(number)]).await?;
        Ok(())
    }

    pub(super) async fn commit(mut self) -> Outcome<()> {
        B::script(self.connection()?, "commit").await?;
        self.open = None;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> Outcome<&mut super::Connection<B>> {
        match &mut self.open {
            Some(open) => Ok(&mut open.connection),
            None => Err(sqlx::Error::PoolClosed.into()), // Not reached: only `commit` takes it, and it has `self`.
        }
    }
}

impl<B: Backend> Drop for Transaction<B> {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            // The server ends it with the connection.
            return open.connection.close_on_drop();
        };
        runtime.spawn(async move {
            let undone = B::script(&mut open.connection, "rollback").await;
            // SQLite says so if it was never begun, and one in memory must not be closed.
            if undone.is_err() && B::DIALECT != Dialect::Sqlite {
                open.connection.close_on_drop();
            }
        });
    }
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
