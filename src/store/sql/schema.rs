//! How tables come to be, and which there are.

use std::pin::Pin;

use super::{
    backend::{Backend, Connection},
    catalog::find,
    complete,
    dialect::Dialect,
    fault::{Fault, Outcome},
    layout::{Found, Layout},
    pool::first,
    statement::{Arg, Out, Statement},
    tables::Tables,
    transaction::Transaction,
};
use crate::store::{Result, StoreError};

/// What a store is to do about its tables.
#[derive(Debug, Clone)]
pub(in crate::store) struct Setup {
    pub(in crate::store) tables: Tables,
    /// Make them if there are none, and bring our own up to date.
    pub(in crate::store) migrate: bool,
    /// Add to those of others what is missing.
    pub(in crate::store) complete: bool,
}

/// The version of the tables that this release makes and knows.
const VERSION: i64 = 1;

/// One for each step, the first from nothing.
pub(super) fn steps(dialect: Dialect) -> [&'static str; VERSION as usize] {
    match dialect {
        Dialect::Sqlite => [include_str!("../schema/sqlite.sql")],
        Dialect::Postgres => [include_str!("../schema/postgres.sql")],
        Dialect::MySql => [include_str!("../schema/mysql.sql")],
    }
}

/// Any number, the same in all instances.
const LOCK: i64 = 0x706f_7274_6375_6c6c;

/// Makes or changes tables as far as `setup` says, one instance after the other, and reads what there is then.
///
/// Boxed, since the compiler does not see that it is `Send` otherwise.
pub(super) fn prepare<'a, B: Backend>(
    pool: &'a sqlx::Pool<B::Database>,
    setup: &'a Setup,
) -> Pin<Box<dyn Future<Output = Result<Layout>> + Send + 'a>> {
    Box::pin(see_to::<B>(pool, setup))
}

async fn see_to<B: Backend>(pool: &sqlx::Pool<B::Database>, setup: &Setup) -> Result<Layout> {
    setup.tables.check()?;
    let mut connection = first::<B>(pool).await?;
    let state = State::read::<B>(&mut connection, &setup.tables).await?;
    if !state.is_to_change(setup)? {
        return state.into_layout::<B>(setup);
    }
    let mut transaction = begin_alone::<B>(connection).await?;
    // Another instance may have been here in between.
    let state = State::read::<B>(transaction.connection()?, &setup.tables).await?;
    let state = if state.is_to_change(setup)? {
        state.change::<B>(transaction.connection()?, setup).await?;
        State::read::<B>(transaction.connection()?, &setup.tables).await?
    } else {
        state
    };
    transaction.commit().await?;
    state.into_layout::<B>(setup)
}

/// A transaction that only one instance is in.
async fn begin_alone<B: Backend>(
    mut connection: sqlx::pool::PoolConnection<B::Database>,
) -> Result<Transaction<B>> {
    if B::DIALECT == Dialect::MySql {
        // The lock goes with the connection, however this ends.
        connection.close_on_drop();
        lock_mysql::<B>(&mut connection).await?;
    }
    let mut transaction = Transaction::begin(connection, None).await?;
    if B::DIALECT == Dialect::Postgres {
        B::script(transaction.connection()?, "set local statement_timeout = 0").await.map_err(Fault::from)?;
        transaction.hold_number(LOCK).await?;
    }
    Ok(transaction)
}

/// Statements that make tables end transactions there, so a transaction is no lock.
async fn lock_mysql<B: Backend>(connection: &mut Connection<B>) -> Result<()> {
    let text = "select get_lock(concat(left(database(), 40), '.portcullis'), 30)";
    let lock = Statement::new(B::DIALECT, text, &[Out::Integer]);
    let rows = B::rows(connection, &lock, &[]).await.map_err(Fault::from)?;
    match rows.into_iter().next().and_then(|mut row| row.integer()) {
        Some(1) => Ok(()),
        _ => Err(StoreError::unavailable("another instance has been making tables for 30 seconds")),
    }
}

/// What there is.
struct State {
    found: Found,
    /// That of our own tables; 0 if some instance of ours has begun to make them; nothing if none has.
    version: Option<i64>,
}

impl State {
    /// Table by table, so another instance may make them meanwhile: then once more.
    async fn read<B: Backend>(connection: &mut Connection<B>, tables: &Tables) -> Outcome<Self> {
        loop {
            let state = Self::look::<B>(connection, tables).await?;
            if made::<B>(connection, tables).await? == state.version {
                return Ok(state);
            }
        }
    }

    async fn look<B: Backend>(connection: &mut Connection<B>, tables: &Tables) -> Outcome<Self> {
        Ok(Self {
            version: made::<B>(connection, tables).await?,
            found: Found {
                users: find::<B>(connection, &tables.users).await?,
                accounts: find::<B>(connection, &tables.accounts).await?,
                sessions: find::<B>(connection, &tables.sessions).await?,
                tokens: find::<B>(connection, &tables.tokens).await?,
                revocations: find::<B>(connection, &tables.revocations).await?,
            },
        })
    }

    /// Whether others have made them.
    fn is_foreign(&self) -> bool {
        let Found { users, accounts, sessions, tokens, revocations } = &self.found;
        self.version.is_none()
            && [users, accounts, sessions, tokens, revocations].into_iter().any(|table| table.is_some())
    }

    fn is_to_change(&self, setup: &Setup) -> Result<bool> {
        let version = self.version.unwrap_or(0);
        if version > VERSION {
            return Err(StoreError::corrupt(format!(
                "the tables have version {version}, which a newer release has made; this one knows {VERSION} and older"
            )));
        }
        if setup.tables.are_read_only() {
            return Ok(false);
        }
        Ok(if self.is_foreign() { setup.complete } else { setup.migrate && version < VERSION })
    }

    async fn change<B: Backend>(&self, connection: &mut Connection<B>, setup: &Setup) -> Result<()> {
        let collation = collation::<B>(connection).await?;
        if self.is_foreign() {
            let script = complete::script(B::DIALECT, &setup.tables, &self.found, &collation);
            return Ok(B::script(connection, &script).await.map_err(Fault::from)?);
        }
        let migrations = B::DIALECT.quote(&setup.tables.migrations);
        let mut script = format!("create table if not exists {migrations} (version bigint primary key);\n");
        if B::DIALECT == Dialect::Sqlite {
            script = script.replace("bigint", "integer");
        }
        for (step, version) in steps(B::DIALECT).into_iter().zip(1..).skip(index(self.version.unwrap_or(0))) {
            script += &fill(B::DIALECT, &setup.tables, step, &collation);
            script += &format!("insert into {migrations} (version) values ({version});\n");
        }
        Ok(B::script(connection, &script).await.map_err(Fault::from)?)
    }

    fn into_layout<B: Backend>(self, setup: &Setup) -> Result<Layout> {
        let Found { users, accounts, sessions, tokens, revocations } = &self.found;
        if [users, accounts, sessions, tokens, revocations].into_iter().all(|table| table.is_none()) {
            return Err(StoreError::corrupt(format!(
                "there is no table {}, {} or {}: `migrate(true)` makes them, or they have other names (`tables`)",
                setup.tables.users, setup.tables.accounts, setup.tables.sessions
            )));
        }
        let ours = self.version.is_some_and(|version| version > 0);
        Ok(Layout::new(B::DIALECT, &setup.tables, self.found, ours))
    }
}

/// The version that instances of ours have made.
async fn made<B: Backend>(connection: &mut Connection<B>, tables: &Tables) -> Outcome<Option<i64>> {
    match find::<B>(connection, &tables.migrations).await? {
        Some(_) => version::<B>(connection, tables).await.map(Some),
        None => Ok(None),
    }
}

async fn version<B: Backend>(connection: &mut Connection<B>, tables: &Tables) -> Outcome<i64> {
    let text = format!("select max(version) from {}", B::DIALECT.quote(&tables.migrations));
    let rows = B::rows(connection, &Statement::new(B::DIALECT, &text, &[Out::Integer]), &[]).await?;
    Ok(rows.into_iter().next().and_then(|mut row| row.integer()).unwrap_or(0))
}

/// The collation of MySQL or MariaDB that takes no two texts for the same.
async fn collation<B: Backend>(connection: &mut Connection<B>) -> Outcome<String> {
    if B::DIALECT != Dialect::MySql {
        return Ok(String::new());
    }
    let text = "select collation_name from information_schema.collations where collation_name in ($1, $2)";
    let statement = Statement::new(B::DIALECT, text, &[Out::Text]);
    let args = [Arg::from("utf8mb4_0900_bin"), Arg::from("utf8mb4_nopad_bin")];
    let rows = B::rows(connection, &statement, &args).await?;
    Ok(rows.into_iter().find_map(|mut row| row.text()).unwrap_or_else(|| "utf8mb4_bin".into()))
}

fn index(version: i64) -> usize {
    usize::try_from(version).unwrap_or_default()
}

/// Puts the names of tables and indexes into a script.
pub(super) fn fill(dialect: Dialect, tables: &Tables, script: &str, collation: &str) -> String {
    let mut text: String =
        script.lines().filter(|line| !line.starts_with("--")).flat_map(|line| [line, "\n"]).collect();
    let names = [
        ("users", &tables.users),
        ("accounts", &tables.accounts),
        ("sessions", &tables.sessions),
        ("tokens", &tables.tokens),
        ("revocations", &tables.revocations),
    ];
    for (place, name) in names {
        text = text.replace(&format!("{{{place}}}"), &dialect.quote(name));
        for suffix in ["user", "expires", "at"] {
            let index = dialect.quote(&format!("{name}_{suffix}_idx"));
            text = text.replace(&format!("{{{place}_{suffix}}}"), &index);
        }
    }
    text.replace("{collation}", collation)
}
