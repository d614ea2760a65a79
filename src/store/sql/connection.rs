//! How statements get to the database without a transaction of their own.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection as _, pool::PoolConnection};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};

use super::{
    SqlStore,
    backend::Backend,
    dialect::Dialect,
    fault::{Fault, Outcome},
    pool::acquire,
    statement::{Arg, Row, Statement},
    transaction::Transaction,
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

impl<B: Backend> SqlStore<B> {
    /// What a statement answers that changes nothing. If the connection is found to be dead, another is taken.
    pub(super) async fn read(&self, statement: &Statement, args: &[Arg<'_>]) -> Outcome<Vec<Row>> {
        check::<B>(args)?;
        let mut connection = acquire::<B>(&self.pool).await?;
        let fault = match B::rows(&mut connection, statement, args).await.map_err(Fault::from) {
            Err(fault) if fault.lost_connection() => fault,
            outcome => return outcome,
        };
        connection.close_on_drop();
        drop(connection);
        // After a restart of the server all that were idle are dead.
        for _ in 0..=self.pool.options().get_max_connections() {
            let mut connection = acquire::<B>(&self.pool).await?;
            if connection.ping().await.is_ok() {
                return Ok(B::rows(&mut connection, statement, args).await?);
            }
            connection.close_on_drop();
        }
        Err(fault)
    }

    /// Changes rows, and says how many.
    pub(super) async fn write(&self, statement: &Statement, args: &[Arg<'_>]) -> Outcome<u64> {
        check::<B>(args)?;
        let mut writing = self.writing().await?;
        let outcome = B::run(writing.connection()?, statement, args).await;
        writing.end();
        Ok(outcome?.rows)
    }

    /// Changes rows, and answers something about them.
    pub(super) async fn take(&self, statement: &Statement, args: &[Arg<'_>]) -> Outcome<Vec<Row>> {
        check::<B>(args)?;
        let mut writing = self.writing().await?;
        let outcome = B::rows(writing.connection()?, statement, args).await;
        writing.end();
        Ok(outcome?)
    }

    async fn writing(&self) -> Outcome<Writing<B>> {
        let turn = self.turn().await;
        Ok(Writing { begun: Some((acquire::<B>(&self.pool).await?, turn)) })
    }

    pub(super) async fn begin(&self) -> Outcome<Transaction<B>> {
        let turn = self.turn().await;
        Transaction::begin(acquire::<B>(&self.pool).await?, turn).await
    }

    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.writer.as_ref()?).acquire_owned().await.ok()
    }
}

/// A statement that writes. Given up while the file is locked by somebody else, it goes on waiting for the lock; until
/// it has ended, it is nobody else's turn, or each would take one more connection from those who read.
struct Writing<B: Backend> {
    begun: Option<(PoolConnection<B::Database>, Option<OwnedSemaphorePermit>)>,
}

impl<B: Backend> Writing<B> {
    fn connection(&mut self) -> Outcome<&mut super::Connection<B>> {
        match &mut self.begun {
            Some((connection, _)) => Ok(connection),
            None => Err(sqlx::Error::PoolClosed.into()), // Not reached: only `end` takes it, as the last thing.
        }
    }

    fn end(&mut self) {
        self.begun = None;
    }
}

impl<B: Backend> Drop for Writing<B> {
    fn drop(&mut self) {
        let Some((mut connection, Some(turn))) = self.begun.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            // It is answered after the statement.
            let _ = connection.ping().await;
            drop(connection);
            drop(turn);
        });
    }
}

/// PostgreSQL has no texts with a NUL, and breaks off what asks for one.
pub(super) fn check<B: Backend>(args: &[Arg<'_>]) -> Outcome<()> {
    let has_nul = |arg: &Arg<'_>| matches!(arg, Arg::Text(Some(text)) if text.contains('\0'));
    if B::DIALECT == Dialect::Postgres && args.iter().any(has_nul) { Err(Fault::Unstorable) } else { Ok(()) }
}
