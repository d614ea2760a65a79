//! What the stores in SQL databases share, which is nearly all: the layout of the tables is read from the
//! catalogue once, statements are made of it once, and the ports run them.
//!
//! | file | |
//! |---|---|
//! | `tables` | what the tables are called |
//! | `catalog`, `column`, `layout` | which columns, types and keys there are |
//! | `dialect`, `plan` | the statements |
//! | `backend`, `statement`, `fault` | how they are run, and what comes of it |
//! | `schema`, `complete` | how tables come to be |
//! | `users`, `sessions`, `tokens` | the ports |
//! | `ports` | the same ports for the public types |

mod backend;
mod catalog;
mod column;
mod complete;
mod connection;
mod dialect;
mod fault;
mod layout;
mod options;
mod plan;
mod pool;
mod ports;
mod report;
mod schema;
mod sessions;
mod statement;
mod tables;
mod tokens;
mod transaction;
mod users;

use std::{fmt, sync::Arc};

use tokio::sync::Semaphore;

#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(super) use self::pool::place;
pub(super) use self::{
    backend::{Answer, Backend, Connection, Options, Ran, backend},
    dialect::Dialect,
    pool::{parse, pool},
    ports::{delegate, ports},
    schema::Setup,
    statement::{Arg, Cell, Out, Row, Statement},
};
use self::{
    layout::Layout,
    plan::{SessionPlan, TokenPlan, UserPlan},
};
pub use self::{options::SqlOptions, tables::Tables};
use super::Result;

/// A store in a database that sqlx knows.
pub(super) struct SqlStore<B: Backend> {
    pool: sqlx::Pool<B::Database>,
    layout: Layout,
    users: UserPlan,
    sessions: SessionPlan,
    tokens: TokenPlan,
    /// Whose turn it is to write, where one at a time can. The database has a queue as well, but an unfair one.
    writer: Option<Arc<Semaphore>>,
}

impl<B: Backend> SqlStore<B> {
    /// Sees to the tables, and reads what they are.
    pub(super) async fn open(pool: sqlx::Pool<B::Database>, setup: &Setup) -> Result<Self> {
        let layout = schema::prepare::<B>(&pool, setup).await?;
        Ok(Self {
            pool,
            users: UserPlan::new(&layout),
            sessions: SessionPlan::new(&layout),
            tokens: TokenPlan::new(&layout),
            writer: (B::DIALECT == Dialect::Sqlite).then(|| Arc::new(Semaphore::new(1))),
            layout,
        })
    }

    pub(super) fn pool(&self) -> &sqlx::Pool<B::Database> {
        &self.pool
    }

    pub(super) fn report(&self) -> Vec<String> {
        report::report(&self.layout)
    }
}

impl<B: Backend> fmt::Debug for SqlStore<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("database", &B::DIALECT).finish_non_exhaustive()
    }
}
