//! What the tables lack, and what that costs, for whoever runs the site.

use super::{
    dialect::Dialect,
    layout::{ACCOUNT, Layout, OWN_OF_SESSIONS, Table},
};

/// A sentence for each; none for tables that we have made.
pub(super) fn report(layout: &Layout) -> Vec<String> {
    let mut lines = Vec::new();
    let costs = [
        (&layout.users, "users and their sessions cannot be found"),
        (&layout.accounts, "nobody can sign in with a provider"),
        (&layout.sessions, "sessions have to be in tokens or in another store"),
        (&layout.tokens, "links cannot be mailed"),
        (&layout.revocations, "sessions that live in tokens cannot be ended early"),
    ];
    for (table, cost) in costs {
        lines.extend(table.as_ref().err().map(|why| format!("{why}: {cost}")));
    }
    if layout.read_only {
        lines.push(
            "the tables have the layout of NextAuth.js v3: they are read, and nothing is written".into(),
        );
    }
    if layout.ours {
        return lines;
    }
    if let Ok(users) = &layout.users {
        of_users(users, &mut lines);
    }
    if let Ok(accounts) = &layout.accounts {
        of_accounts(accounts, &mut lines);
    }
    if let Ok(sessions) = &layout.sessions {
        of_sessions(sessions, &mut lines);
    }
    if let Ok(tokens) = &layout.tokens {
        if !tokens.is_unique(&["identifier", "token"]) {
            lines.push(format!("{} has no unique key of identifier and token: {SCAN}", tokens.name));
        }
        of_any(tokens, &mut lines);
    }
    lines
}

const SCAN: &str = "each look-up reads the whole table";

fn of_users(users: &Table, lines: &mut Vec<String>) {
    let name = &users.name;
    if !users.is_unique(&["email"]) {
        lines.push(format!(
            "no unique index on {name}.email: while we keep two first sign-ins at once apart, another program that \
             writes can make two users of one address"
        ));
    }
    if !users.is_indexed("email") {
        lines.push(format!("no index on {name}.email: {SCAN}"));
    }
    if !users.is_indexed("id") {
        lines.push(format!("no index on {name}.id: each request reads the whole table"));
    }
    if !users.has("extra") {
        lines.push(format!("{name} has no column extra: members of the application's own are not kept"));
    }
    of_any(users, lines);
}

fn of_accounts(accounts: &Table, lines: &mut Vec<String>) {
    let name = &accounts.name;
    if !accounts.is_unique(&["provider", "providerAccountId"]) {
        lines.push(format!(
            "no unique index on {name} (provider, providerAccountId): {SCAN}, and another program that writes can \
             give one account to two users; we hold a lock meanwhile"
        ));
    }
    if !accounts.is_indexed("userId") {
        lines.push(format!("no index on {name}.userId: listing and removing the accounts of a user {READS}"));
    }
    let lost: Vec<_> = ACCOUNT[4..].iter().copied().filter(|column| !accounts.has(column)).collect();
    if !lost.is_empty() {
        lines.push(format!(
            "{name} has no column {}: what providers give to act for users is not kept whole",
            lost.join(", ")
        ));
    }
    if accounts
        .column("expires_at")
        .is_some_and(|column| column.type_name == "int" || column.type_name == "int4")
    {
        lines.push(format!(
            "{name}.expires_at has 32 bits, which are full in 2038: later times cannot be kept"
        ));
    }
    if !accounts.is_ordered() {
        lines.push(format!(
            "{name} has no column that tells which account was linked first: they come in no order"
        ));
    }
    of_any(accounts, lines);
    of_rows_of_users(accounts, lines);
}

const READS: &str = "reads the whole table";

fn of_sessions(sessions: &Table, lines: &mut Vec<String>) {
    let name = &sessions.name;
    if !sessions.is_unique(&["sessionToken"]) {
        lines.push(format!(
            "no unique index on {name}.sessionToken: each request reads the whole table, and another program can \
             give two sessions one key"
        ));
    }
    for (column, what) in
        [("userId", "listing and ending the sessions of a user"), ("expires", "removing expired sessions")]
    {
        if !sessions.is_indexed(column) {
            lines.push(format!("no index on {name}.{column}: {what} {READS}"));
        }
    }
    if !sessions.has("created") && !sessions.is_ordered() {
        lines.push(format!(
            "{name} has no column that tells which session was begun first: a limit of sessions ends any of them"
        ));
    }
    for column in OWN_OF_SESSIONS.iter().filter(|column| !sessions.has(column)) {
        lines.push(format!("{name} has no column {column}: {}", cost_of(column)));
    }
    of_any(sessions, lines);
    of_rows_of_users(sessions, lines);
}

fn cost_of(column: &str) -> &'static str {
    match column {
        "created" => "when users signed in is not known, and an absolute limit ends such sessions",
        "last_seen" => "when sessions were last used is not known",
        "address" => "where sessions were begun from is not kept",
        "user_agent" => "what sessions were begun with is not kept",
        "version" => "data of sessions cannot be changed without losing changes, so it is refused",
        _ => "sessions have no data, and changing it is refused",
    }
}

fn of_rows_of_users(table: &Table, lines: &mut Vec<String>) {
    if !table.goes_with_user() {
        lines.push(format!(
            "{}.userId has no foreign key that cascades: rows of users whom others delete stay, and sign nobody in",
            table.name
        ));
    }
}

fn of_any(table: &Table, lines: &mut Vec<String>) {
    for column in &table.unfilled {
        lines.push(format!(
            "{}.{column} has no default and must have a value: no rows can be made in {0}",
            table.name
        ));
    }
    for column in table.columns.values() {
        if table.dialect == Dialect::MySql && column.type_name == "timestamp" {
            lines.push(format!("{}.{} keeps no times after January 2038", table.name, column.name));
        }
        if column.precision.is_some_and(|digits| digits < 3) {
            lines.push(format!("{}.{} keeps no milliseconds", table.name, column.name));
        }
    }
}
