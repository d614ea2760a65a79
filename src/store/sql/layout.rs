//! Which tables and columns there are for what a store keeps.

use std::{collections::HashMap, sync::Arc};

use super::{
    catalog::{FoundDefault, FoundTable},
    column::{Column, Physical, out},
    dialect::Dialect,
    fault::Fault,
    statement::{Arg, Out, Statement},
    tables::{Naming, Tables},
};

/// The tables, each with what is wrong if it cannot be used.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) dialect: Dialect,
    pub(super) read_only: bool,
    /// They are those that our own migrations make.
    pub(super) ours: bool,
    pub(super) users: Usable,
    pub(super) accounts: Usable,
    pub(super) sessions: Usable,
    pub(super) tokens: Usable,
    pub(super) revocations: Usable,
}

pub(super) type Usable = Result<Table, Arc<str>>;

/// The tables as they were found.
#[derive(Debug, Default, Clone)]
pub(super) struct Found {
    pub(super) users: Option<FoundTable>,
    pub(super) accounts: Option<FoundTable>,
    pub(super) sessions: Option<FoundTable>,
    pub(super) tokens: Option<FoundTable>,
    pub(super) revocations: Option<FoundTable>,
}

/// A table, its columns by the names that Auth.js gives them.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) dialect: Dialect,
    pub(super) name: String,
    pub(super) quoted: String,
    pub(super) columns: HashMap<&'static str, Column>,
    /// Columns of the application that want a time when a row is made.
    stamps: Vec<Column>,
    /// Columns of the application without which no row is made, and for which nobody has a value.
    pub(super) unfilled: Vec<String>,
    pub(super) found: FoundTable,
}

pub(super) const USER: &[&str] = &["id", "name", "email", "emailVerified", "image", "extra"];
pub(super) const ACCOUNT: &[&str] = &[
    "userId",
    "type",
    "provider",
    "providerAccountId",
    "refresh_token",
    "access_token",
    "expires_at",
    "id_token",
    "scope",
    "session_state",
    "token_type",
];
/// What the provider of an account gave.
pub(super) const TOKENS: &[&str] = ACCOUNT.split_at(4).1;
pub(super) const SESSION: &[&str] = &[
    "sessionToken",
    "userId",
    "expires",
    "created",
    "last_seen",
    "address",
    "user_agent",
    "version",
    "data",
];
pub(super) const TOKEN: &[&str] = &["identifier", "token", "expires"];
pub(super) const REVOCATION: &[&str] = &["kind", "subject", "at", "expires"];

/// The columns that are ours alone: tables of Auth.js do without.
pub(super) const OWN_OF_USERS: &[&str] = &["extra"];
pub(super) const OWN_OF_SESSIONS: &[&str] =
    &["created", "last_seen", "address", "user_agent", "version", "data"];

impl Layout {
    pub(super) fn new(dialect: Dialect, tables: &Tables, found: Found, ours: bool) -> Self {
        let make = |name: &str, found: Option<FoundTable>, columns: &[&'static str], optional: &[&str]| {
            Table::new(dialect, tables.naming, name, found, ours, columns, optional)
        };
        Self {
            dialect,
            read_only: tables.are_read_only(),
            ours,
            users: make(&tables.users, found.users, USER, &["name", "emailVerified", "image", "extra"]),
            accounts: make(&tables.accounts, found.accounts, &with_id(ACCOUNT), &optional_of_accounts()),
            sessions: make(&tables.sessions, found.sessions, &with_id(SESSION), &optional_of_sessions()),
            tokens: make(&tables.tokens, found.tokens, TOKEN, &[]),
            revocations: make(&tables.revocations, found.revocations, REVOCATION, &[]),
        }
    }

    /// A statement that reads.
    pub(super) fn statement(&self, text: &str, out: &'static [Out]) -> Statement {
        Statement::new(self.dialect, text, out)
    }
}

fn with_id(columns: &[&'static str]) -> Vec<&'static str> {
    [&["id"], columns].concat()
}

fn optional_of_accounts() -> Vec<&'static str> {
    [&["id"], TOKENS].concat()
}

fn optional_of_sessions() -> Vec<&'static str> {
    [&["id"], OWN_OF_SESSIONS].concat()
}

impl Table {
    fn new(
        dialect: Dialect,
        naming: Naming,
        name: &str,
        found: Option<FoundTable>,
        ours: bool,
        columns: &[&'static str],
        optional: &[&str],
    ) -> Usable {
        let Some(found) = found else {
            return Err(format!("there is no table {name}").into());
        };
        let mut table = Self {
            dialect,
            name: name.to_owned(),
            quoted: dialect.quote(name),
            columns: HashMap::new(),
            stamps: Vec::new(),
            unfilled: Vec::new(),
            found: FoundTable::default(),
        };
        for &column in columns {
            let physical_name = name_of(naming, column);
            match found.column(physical_name) {
                Some(it) => {
                    table.columns.insert(column, Column::new(dialect, name, column, it, ours)?);
                }
                None if naming == Naming::AuthJs && !stand_ins(column).is_empty() => {
                    let found = stand_ins(column).iter().find_map(|name| found.column(name));
                    let it = found.and_then(|it| Column::new(dialect, name, column, it, ours).ok());
                    table.columns.extend(it.map(|it| (column, it)));
                }
                None if optional.contains(&column) => {}
                None => return Err(format!("{name} has no column {physical_name}").into()),
            }
        }
        table.look_at_the_rest(&found);
        table.found = found;
        Ok(table)
    }

    /// Columns that are not ours and must have a value.
    fn look_at_the_rest(&mut self, found: &FoundTable) {
        for other in &found.columns {
            let known = self.columns.values().any(|column| column.name == other.name);
            if known || !other.required || other.default != FoundDefault::None {
                continue;
            }
            let is_stamp = ["created", "last_seen"]
                .iter()
                .any(|column| stand_ins(column).contains(&other.name.as_str()));
            match Column::new(self.dialect, &self.name, "at", other, false) {
                Ok(column) if is_stamp => self.stamps.push(column),
                _ => self.unfilled.push(other.name.clone()),
            }
        }
    }

    pub(super) fn column(&self, column: &str) -> Option<&Column> {
        self.columns.get(column)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// These columns as a list of values; what is not there is null.
    pub(super) fn read(&self, columns: &[&str], alias: &str) -> String {
        let values: Vec<_> = columns.iter().map(|column| self.read_one(column, alias)).collect();
        values.join(", ")
    }

    fn read_one(&self, column: &str, alias: &str) -> String {
        match (self.column(column), self.dialect) {
            (Some(it), dialect) => dialect.read(it, alias),
            (None, Dialect::Postgres) if out(column) == Out::Text => "null::text".into(),
            (None, Dialect::Postgres) => "null::bigint".into(),
            (None, _) => "null".into(),
        }
    }

    /// Whether there is a column of just this name.
    pub(super) fn has_own(&self, column: &str) -> bool {
        self.column(column).is_some_and(|it| it.name == column)
    }

    /// The condition that these columns hold exactly these arguments.
    pub(super) fn same(&self, alias: &str, columns: &[(&str, usize)]) -> String {
        let conditions: Vec<_> = columns
            .iter()
            .filter_map(|(column, number)| Some(self.dialect.same(self.column(column)?, alias, *number)))
            .collect();
        conditions.join(" and ")
    }

    /// The condition that these columns hold exactly these arguments, and nothing where an argument is null. One that
    /// is not there holds nothing.
    pub(super) fn same_or_null(&self, alias: &str, columns: &[(&str, usize)]) -> String {
        let condition = |(column, number): &(&str, usize)| match self.column(column) {
            Some(it) => {
                let (same, name) = (self.dialect.same(it, alias, *number), &it.quoted);
                format!("({same} or {alias}.{name} is null and ${number} is null)")
            }
            None => format!("${number} is null"),
        };
        columns.iter().map(condition).collect::<Vec<_>>().join(" and ")
    }

    /// An insert of `columns`, as far as there are any, with the arguments 1 and on.
    pub(super) fn insert(&self, columns: &[&str]) -> String {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (index, column) in columns.iter().enumerate() {
            let Some(it) = self.column(column).filter(|it| *column != "id" || it.is_given()) else {
                continue;
            };
            names.push(it.quoted.as_str());
            let value = self.dialect.write(it, index + 1);
            let is_stand_in = it.is_required && stand_ins(column).contains(&it.name.as_str());
            values.push(if is_stand_in {
                format!("coalesce({value}, {})", self.dialect.now(it))
            } else {
                value
            });
        }
        for stamp in &self.stamps {
            names.push(stamp.quoted.as_str());
            values.push(self.dialect.now(stamp).to_owned());
        }
        format!("insert into {} ({}) values ({})", self.quoted, names.join(", "), values.join(", "))
    }

    /// A new id, where the database does not make it.
    pub(super) fn new_id(&self) -> Option<String> {
        let id = self.column("id").filter(|id| id.is_given())?;
        let uuid = uuid::Uuid::new_v4();
        let is_short = id.max_length.is_some_and(|length| (32..36).contains(&length));
        Some(if is_short { uuid.simple().to_string() } else { uuid.to_string() })
    }

    /// An id of this table, or of the one that `column` refers to, as an argument.
    pub(super) fn id<'a>(&self, column: &str, id: &'a str) -> Result<Arg<'a>, Fault> {
        match self.column(column).map(|column| column.physical) {
            Some(Physical::Integer) => {
                let number: i64 = id.parse().map_err(|_| Fault::Unstorable)?;
                if number.to_string() == id { Ok(number.into()) } else { Err(Fault::Unstorable) }
            }
            Some(Physical::Uuid) => {
                let uuid = uuid::Uuid::try_parse(id).map_err(|_| Fault::Unstorable)?;
                if uuid.hyphenated().to_string() == id { Ok(id.into()) } else { Err(Fault::Unstorable) }
            }
            _ => Ok(id.into()),
        }
    }

    /// Whether no two rows have the same in these columns, by the database's own rule.
    pub(super) fn is_unique(&self, columns: &[&str]) -> bool {
        self.found.indexes.iter().any(|index| {
            index.unique
                && index.columns.iter().all(|name| {
                    columns
                        .iter()
                        .any(|column| self.column(column).is_some_and(|column| column.name == *name))
                })
        })
    }

    /// Whether a unique key keeps others out that have the same there.
    pub(super) fn is_in_key(&self, column: &Column) -> bool {
        self.found.indexes.iter().any(|index| index.unique && index.columns.contains(&column.name))
    }

    /// Whether rows are found by this column without reading them all.
    pub(super) fn is_indexed(&self, column: &str) -> bool {
        let Some(column) = self.column(column) else { return false };
        self.found.indexes.iter().any(|index| index.columns.first() == Some(&column.name))
    }

    /// Whether rows go with their user.
    pub(super) fn goes_with_user(&self) -> bool {
        self.column("userId").is_some_and(|column| self.found.cascades.contains(&column.name))
    }

    /// Whether it is known which row was made first.
    pub(super) fn is_ordered(&self) -> bool {
        self.column("id").is_some_and(|id| id.physical == Physical::Integer)
            || stand_ins("created").iter().any(|name| self.found.column(name).is_some())
    }

    /// What the rows of a user are ordered by: when they were made, as far as that is known.
    pub(super) fn order(&self) -> String {
        let by = |column: &Column| format!(" order by t.{}", column.quoted);
        let id = self.column("id");
        if let Some(id) = id.filter(|id| id.physical == Physical::Integer) {
            return by(id);
        }
        let made = stand_ins("created").iter().find_map(|name| self.found.column(name));
        if let Some(made) = made {
            return format!(" order by t.{}", self.dialect.quote(&made.name));
        }
        self.column("providerAccountId").or(self.column("sessionToken")).map_or(String::new(), by)
    }
}

/// The name of a column in tables that name it so.
fn name_of(naming: Naming, column: &str) -> &str {
    match (naming, column) {
        (Naming::AuthJs, column) => column,
        (Naming::V3, "userId") => "user_id",
        (Naming::V3, "emailVerified") => "email_verified",
        (Naming::V3, "type") => "provider_type",
        (Naming::V3, "provider") => "provider_id",
        (Naming::V3, "providerAccountId") => "provider_account_id",
        (Naming::V3, "expires_at") => "access_token_expires",
        (Naming::V3, "sessionToken") => "session_token",
        (Naming::V3, "created") => "created_at",
        (Naming::V3, "last_seen") => "updated_at",
        (Naming::V3, column) => column,
    }
}

/// Columns that many applications have of their own accord, and that say the same.
fn stand_ins(column: &str) -> &'static [&'static str] {
    match column {
        "created" => &["createdAt", "created_at"],
        "last_seen" => &["updatedAt", "updated_at"],
        _ => &[],
    }
}
