//! In what the databases differ, as far as statements go.

use super::column::{Column, Physical};

/// Which SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")), allow(dead_code))]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

impl Dialect {
    /// A name that was checked, as statements have it.
    pub(super) fn quote(self, name: &str) -> String {
        match self {
            Self::MySql => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    /// The value of a column as text or integer; a time as milliseconds, or as seconds where it stands for those.
    pub(super) fn read(self, column: &Column, alias: &str) -> String {
        let value = self.read_millis(column, alias);
        match self {
            _ if !column.is_seconds => value,
            Self::MySql => format!("({value}) div 1000"),
            Self::Sqlite | Self::Postgres => format!("({value}) / 1000"),
        }
    }

    fn read_millis(self, column: &Column, alias: &str) -> String {
        let name = format!("{alias}.{}", column.quoted);
        match (self, &column.physical) {
            (Self::Postgres, Physical::Time) => {
                format!("(extract(epoch from date_trunc('milliseconds', {name})) * 1000)::bigint")
            }
            (Self::Postgres, Physical::Integer | Physical::Millis) if !column.is_id => {
                format!("{name}::bigint")
            }
            (Self::Postgres, _) => format!("{name}::text"),
            (Self::MySql, Physical::Time) => {
                format!("timestampdiff(microsecond, timestamp'1970-01-01 00:00:00', {name}) div 1000")
            }
            (Self::MySql, Physical::Integer | Physical::Millis) if !column.is_id => {
                format!("cast({name} as signed)")
            }
            (Self::MySql, _) => format!("cast({name} as char)"),
            (Self::Sqlite, Physical::Time) => format!(
                "case typeof({name}) when 'integer' then {name} when 'real' then cast({name} as integer) \
                 else cast(round(unixepoch({name}, 'subsec') * 1000) as integer) end"
            ),
            (Self::Sqlite, Physical::Integer) if column.is_id => format!("cast({name} as text)"),
            (Self::Sqlite, _) => name,
        }
    }

    /// The argument `number`, which is what `read` answers, as a value for a column.
    pub(super) fn write(self, column: &Column, number: usize) -> String {
        let is_seconds = column.is_seconds;
        match (self, &column.physical) {
            (Self::Postgres, Physical::Time) => {
                let unit = if is_seconds { "second" } else { "millisecond" };
                format!("('epoch'::{} + ${number}::bigint * interval '1 {unit}')", column.type_name)
            }
            (Self::Postgres, Physical::Uuid | Physical::Other) => {
                format!("${number}::{}", self.quote(&column.type_name))
            }
            (Self::MySql, Physical::Time) => {
                let micros = if is_seconds { 1_000_000 } else { 1000 };
                format!("timestampadd(microsecond, ${number} * {micros}, timestamp'1970-01-01 00:00:00')")
            }
            (Self::Sqlite, Physical::Time) => {
                let parts = if is_seconds { "1.0" } else { "1000.0" };
                format!("strftime('%Y-%m-%dT%H:%M:%fZ', ${number} / {parts}, 'unixepoch')")
            }
            _ => format!("${number}"),
        }
    }

    /// Whether a column holds exactly the argument `number`.
    pub(super) fn same(self, column: &Column, alias: &str, number: usize) -> String {
        let (name, value) = (format!("{alias}.{}", column.quoted), self.write(column, number));
        if column.is_exact {
            return format!("{name} = {value}");
        }
        // The first half is for the index, the second for the letters.
        match self {
            Self::Postgres => format!("({name} = {value} and {name}::text collate \"C\" = ${number})"),
            Self::MySql => format!(
                "({name} = {value} and cast(convert({name} using utf8mb4) as binary) = cast(${number} as binary))"
            ),
            Self::Sqlite => format!("({name} = {value} and {name} = {value} collate binary)"),
        }
    }

    /// Whether a time is at or before the argument `number`.
    pub(super) fn is_over(self, column: &Column, alias: &str, number: usize) -> String {
        match (self, &column.physical) {
            // Texts of several forms: compared as what they mean.
            (Self::Sqlite, Physical::Time) => format!("{} <= ${number}", self.read(column, alias)),
            _ => format!("{alias}.{} <= {}", column.quoted, self.write(column, number)),
        }
    }

    /// Whether a time is before the argument `number`.
    pub(super) fn is_before(self, column: &Column, alias: &str, number: usize) -> String {
        match (self, &column.physical) {
            (Self::Sqlite, Physical::Time) => format!("{} < ${number}", self.read(column, alias)),
            _ => format!("{alias}.{} < {}", column.quoted, self.write(column, number)),
        }
    }

    /// The argument `number` as a value for a column; what the column has if it is null.
    pub(super) fn write_or_keep(self, column: &Column, number: usize) -> String {
        format!("coalesce({}, {})", self.write(column, number), column.quoted)
    }

    /// The present time for a column that somebody else's table wants filled.
    pub(super) fn now(self, column: &Column) -> &'static str {
        match (self, &column.physical) {
            (Self::Postgres, _) if column.type_name == "timestamp" => "now() at time zone 'UTC'",
            (Self::Postgres, _) => "now()",
            (Self::MySql, _) => "utc_timestamp(3)",
            (Self::Sqlite, Physical::Millis | Physical::Integer) => {
                "cast(unixepoch('subsec') * 1000 as integer)"
            }
            (Self::Sqlite, _) => "strftime('%Y-%m-%dT%H:%M:%fZ')",
        }
    }

    /// Ends a select whose rows nobody else may change until the transaction is over.
    pub(super) fn locking(self) -> &'static str {
        match self {
            // The key may be referred to meanwhile.
            Self::Postgres => " for no key update",
            Self::MySql => " for update",
            // Transactions are exclusive from their begin.
            Self::Sqlite => "",
        }
    }

    /// The types of the columns that are ours alone.
    pub(super) fn type_of_own(self, column: &str) -> &'static str {
        match (self, column) {
            (Self::Postgres, "created" | "last_seen") => "timestamptz(3)",
            (Self::MySql, "created" | "last_seen") => "datetime(3)",
            (Self::Sqlite, "created" | "last_seen") => "integer",
            (Self::Sqlite, "version") => "integer not null default 0",
            (_, "version") => "bigint not null default 0",
            (Self::Postgres, "data" | "extra") => "json",
            (Self::MySql, "data" | "extra") => "longtext",
            _ => "text",
        }
    }
}
