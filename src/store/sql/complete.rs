//! What the tables of others lack, as statements that add it.

use super::{
    dialect::Dialect,
    layout::{Found, Layout, OWN_OF_SESSIONS, OWN_OF_USERS, Table, Usable},
    schema,
    tables::Tables,
};

/// Adds columns, keys and indexes. Nothing that is there is changed or removed, and no foreign keys are made:
/// rows whose user is gone would be in the way.
pub(super) fn script(dialect: Dialect, tables: &Tables, found: &Found, collation: &str) -> String {
    let layout = Layout::new(dialect, tables, found.clone(), false);
    let mut script = String::new();
    let mut add = |table: &Usable, own: &[&str], unique: &[&str], indexed: &[&str]| {
        let Ok(table) = table else { return };
        for column in own.iter().filter(|column| !table.has_own(column)) {
            let (name, column, kind) = (&table.quoted, dialect.quote(column), dialect.type_of_own(column));
            script += &format!("alter table {name} add column {column} {kind};\n");
        }
        if !unique.is_empty() && !table.is_unique(unique) {
            script += &index(dialect, table, "unique index", "key", unique);
        }
        for column in indexed.iter().filter(|column| !table.is_indexed(column)) {
            script += &index(dialect, table, "index", "idx", &[column]);
        }
    };
    add(&layout.users, OWN_OF_USERS, &["email"], &[]);
    add(&layout.accounts, &[], &["provider", "providerAccountId"], &["userId"]);
    add(&layout.sessions, OWN_OF_SESSIONS, &["sessionToken"], &["userId", "expires"]);
    add(&layout.tokens, &[], &["identifier", "token"], &["expires"]);
    if found.revocations.is_none() {
        script += &revocations(dialect, tables, collation);
    }
    script
}

/// The one table that Auth.js does not have, as our own script makes it.
fn revocations(dialect: Dialect, tables: &Tables, collation: &str) -> String {
    let whole = schema::steps(dialect)[0];
    let begin = whole.rfind("create table").unwrap_or(whole.len());
    schema::fill(dialect, tables, &whole[begin..], collation)
}

fn index(dialect: Dialect, table: &Table, kind: &str, suffix: &str, columns: &[&str]) -> String {
    let name = dialect.quote(&format!("{}_{}_{suffix}", table.name, columns[0]));
    let columns: Vec<_> =
        columns.iter().filter_map(|column| Some(table.column(column)?.quoted.as_str())).collect();
    format!("create {kind} {name} on {} ({});\n", table.quoted, columns.join(", "))
}
