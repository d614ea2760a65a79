use super::{Planned, delete_expired};
use crate::store::sql::{
    dialect::Dialect,
    layout::{Layout, REVOCATION, TOKEN, Table},
    statement::Out,
};

/// What is done with one-time tokens and revocations.
#[derive(Debug)]
pub(in crate::store::sql) struct TokenPlan {
    /// The columns of a token.
    pub(in crate::store::sql) insert: Planned,
    /// The token `$2` of `$1`, which nobody else may take until the transaction is over.
    pub(in crate::store::sql) lock: Planned,
    /// That token.
    pub(in crate::store::sql) delete: Planned,
    /// Takes it out and answers it, where one statement does both.
    pub(in crate::store::sql) take: Option<Planned>,
    /// At most `$2` that are over at `$1`.
    pub(in crate::store::sql) delete_expired: Planned,
    /// The columns of a revocation.
    pub(in crate::store::sql) revoke: Planned,
    /// Those that were made at `$1` or later.
    pub(in crate::store::sql) revocations: Planned,
    /// At most `$2` that nobody needs at `$1`.
    pub(in crate::store::sql) delete_expired_revocations: Planned,
}

const ROW: &[Out] = &[Out::Text, Out::Text, Out::Integer];
const REVOCATION_ROW: &[Out] = &[Out::Text, Out::Text, Out::Integer, Out::Integer];
const KEY: [(&str, usize); 2] = [("identifier", 1), ("token", 2)];

impl TokenPlan {
    pub(in crate::store::sql) fn new(layout: &Layout) -> Self {
        let (tokens, revocations) = (&layout.tokens, &layout.revocations);
        let delete =
            |table: &Table| format!("delete from {} where {}", table.quoted, table.same(&table.quoted, &KEY));
        let take = |table: &Table| {
            layout.statement(&format!("{} returning {}", delete(table), table.read(TOKEN, &table.quoted)), ROW)
        };
        Self {
            insert: Planned::write(layout, tokens, |table| layout.statement(&table.insert(TOKEN), &[])),
            lock: Planned::write(layout, tokens, |table| {
                let (row, name) = (table.read(TOKEN, "t"), &table.quoted);
                let condition = table.same("t", &KEY);
                let locking = layout.dialect.locking();
                layout.statement(&format!("select {row} from {name} t where {condition}{locking}"), ROW)
            }),
            delete: Planned::write(layout, tokens, |table| layout.statement(&delete(table), &[])),
            // MySQL proper cannot.
            take: (layout.dialect != Dialect::MySql).then(|| Planned::write(layout, tokens, take)),
            delete_expired: delete_expired(layout, tokens),
            revoke: Planned::write(layout, revocations, |table| layout.statement(&revoke(layout, table), &[])),
            revocations: Planned::read(&[revocations], |tables| {
                let (table, at) = (tables[0], tables[0].column("at"));
                let since = at.map_or(String::new(), |at| format!("not ({})", layout.dialect.is_before(at, "t", 1)));
                let (row, name) = (table.read(REVOCATION, "t"), &table.quoted);
                layout.statement(&format!("select {row} from {name} t where {since}"), REVOCATION_ROW)
            }),
            delete_expired_revocations: delete_expired(layout, revocations),
        }
    }
}

/// The later of both counts, and the later end of both.
fn revoke(layout: &Layout, table: &Table) -> String {
    let latest = |column: &str| {
        let (it, name) = (layout.dialect.quote(column), &table.quoted);
        match layout.dialect {
            Dialect::Postgres => format!("{it} = greatest({name}.{it}, excluded.{it})"),
            Dialect::Sqlite => format!("{it} = max({name}.{it}, excluded.{it})"),
            Dialect::MySql => format!("{it} = greatest({it}, values({it}))"),
        }
    };
    let (insert, at, expires) = (table.insert(REVOCATION), latest("at"), latest("expires"));
    match layout.dialect {
        Dialect::MySql => format!("{insert} on duplicate key update {at}, {expires}"),
        _ => format!("{insert} on conflict (kind, subject) do update set {at}, {expires}"),
    }
}
