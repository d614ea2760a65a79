//! The statements of a store, made once from the layout of its tables.

mod sessions;
mod tokens;
mod users;

use std::sync::Arc;

pub(super) use self::{sessions::SessionPlan, tokens::TokenPlan, users::UserPlan};
use super::{
    fault::Fault,
    layout::{Layout, Table, Usable},
    statement::Statement,
};

/// A statement, or why these tables have none.
#[derive(Debug)]
pub(super) struct Planned(Result<Statement, Arc<str>>);

impl Planned {
    /// One that reads from these tables.
    fn read(tables: &[&Usable], make: impl FnOnce(&[&Table]) -> Statement) -> Self {
        let tables: Result<Vec<_>, _> = tables.iter().map(|table| table.as_ref().map_err(Arc::clone)).collect();
        Self(tables.map(|tables| make(&tables)))
    }

    /// One that writes to a table.
    fn write(layout: &Layout, table: &Usable, make: impl FnOnce(&Table) -> Statement) -> Self {
        if layout.read_only {
            return Self(Err(READ_ONLY.into()));
        }
        Self::read(&[table], |tables| make(tables[0]))
    }

    /// One that needs these columns, which tables of Auth.js do not have.
    fn needing(self, table: &Usable, columns: &[&str]) -> Self {
        let missing = |table: &Table| columns.iter().copied().find(|column| !table.has(column));
        match table {
            Ok(table) if self.0.is_ok() => match missing(table) {
                Some(column) => Self(Err(format!(
                    "the table {} has no column {column}: `complete(true)` adds it",
                    table.name
                )
                .into())),
                None => self,
            },
            _ => self,
        }
    }

    pub(super) fn get(&self) -> Result<&Statement, Fault> {
        self.0.as_ref().map_err(|why| Fault::Unplanned(Arc::clone(why)))
    }

    /// The statement if these tables have it.
    pub(super) fn found(&self) -> Option<&Statement> {
        self.0.as_ref().ok()
    }
}

const READ_ONLY: &str = "tables of NextAuth.js v3 are only read: move them to the layout of Auth.js to write";

/// Removes at most `$2` rows whose `expires` is at or before `$1`.
fn delete_expired(layout: &Layout, table: &Usable) -> Planned {
    Planned::write(layout, table, |table| {
        use super::dialect::Dialect;
        let Some(expires) = table.column("expires") else { return layout.statement("", &[]) };
        let (name, over) = (&table.quoted, layout.dialect.is_over(expires, "t", 1));
        let text = match layout.dialect {
            // Several may be at it at once: each takes what no other has.
            Dialect::Postgres => format!(
                "delete from {name} where ctid = any(array(select t.ctid from {name} t where {over} \
                 limit $2 for update skip locked))"
            ),
            Dialect::Sqlite => {
                format!("delete from {name} where rowid in (select t.rowid from {name} t where {over} limit $2)")
            }
            // It takes no alias there.
            Dialect::MySql => {
                let over = layout.dialect.is_over(expires, name, 1);
                format!("delete from {name} where {over} order by {} limit $2", expires.quoted)
            }
        };
        layout.statement(&text, &[])
    })
}
