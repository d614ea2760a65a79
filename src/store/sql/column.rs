//! What one column of a table is, and what it is for.

use std::sync::Arc;

use super::{
    catalog::{FoundColumn, FoundDefault},
    dialect::Dialect,
    statement::Out,
};

#[derive(Debug)]
pub(super) struct Column {
    /// As statements name it.
    pub(super) quoted: String,
    /// As the catalogue does.
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) physical: Physical,
    pub(super) is_id: bool,
    /// A time, of which those who read and write it know the seconds.
    pub(super) is_seconds: bool,
    /// It compares by code point by itself.
    pub(super) is_exact: bool,
    /// The database counts it up.
    pub(super) counts: bool,
    has_default: bool,
    pub(super) is_required: bool,
    pub(super) max_length: Option<i64>,
    pub(super) precision: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    Text,
    Integer,
    /// A time as milliseconds since 1970.
    Millis,
    Time,
    Uuid,
    /// A type that takes text if it is told so: enumerations, JSON.
    Other,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Id,
    Text,
    Number,
    Seconds,
    Time,
}

impl Column {
    pub(super) fn new(
        dialect: Dialect,
        table: &str,
        column: &str,
        found: &FoundColumn,
        ours: bool,
    ) -> Result<Self, Arc<str>> {
        let meaning = meaning(column);
        let Some(physical) = physical(dialect, meaning, found) else {
            return Err(format!(
                "{table}.{} is of the type {}, which is not supported there",
                found.name, found.type_name
            )
            .into());
        };
        Ok(Self {
            quoted: dialect.quote(&found.name),
            name: found.name.clone(),
            type_name: found.type_name.clone(),
            physical,
            is_id: meaning == Meaning::Id,
            is_seconds: meaning == Meaning::Seconds && physical == Physical::Time,
            is_exact: ours && dialect == Dialect::Sqlite || is_exact(dialect, physical, found),
            counts: found.default == FoundDefault::Counter,
            has_default: found.default != FoundDefault::None,
            is_required: found.required,
            max_length: found.max_length,
            precision: found.precision,
        })
    }

    /// Whether an insert says what this id is. What counts up is the database's to say; of texts and UUIDs ours
    /// are as good as its own, and known before.
    pub(super) fn is_given(&self) -> bool {
        let is_too_short = self.has_default && self.max_length.is_some_and(|length| length < 32);
        !self.counts && self.physical != Physical::Integer && !is_too_short
    }
}

fn meaning(column: &str) -> Meaning {
    match column {
        "id" | "userId" => Meaning::Id,
        "emailVerified" | "expires" | "created" | "last_seen" | "at" => Meaning::Time,
        "version" => Meaning::Number,
        "expires_at" => Meaning::Seconds,
        _ => Meaning::Text,
    }
}

pub(super) fn out(column: &str) -> Out {
    match meaning(column) {
        Meaning::Id | Meaning::Text => Out::Text,
        _ => Out::Integer,
    }
}

fn is_exact(dialect: Dialect, physical: Physical, found: &FoundColumn) -> bool {
    match dialect {
        // A type of somebody's own, such as citext, may compare as it likes.
        Dialect::Postgres => found.collation.is_none(),
        _ if physical != Physical::Text => true,
        Dialect::Sqlite => false,
        Dialect::MySql => found.collation.as_deref().is_none_or(|collation| {
            collation == "binary" || collation.ends_with("_nopad_bin") || collation.ends_with("_0900_bin")
        }),
    }
}

fn physical(dialect: Dialect, meaning: Meaning, found: &FoundColumn) -> Option<Physical> {
    let raw = match dialect {
        Dialect::Postgres => match &*found.type_name {
            "text" | "varchar" | "bpchar" | "name" => Physical::Text,
            "int2" | "int4" | "int8" => Physical::Integer,
            "timestamptz" | "timestamp" => Physical::Time,
            "uuid" => Physical::Uuid,
            _ => Physical::Other,
        },
        Dialect::MySql => match &*found.type_name {
            "datetime" | "timestamp" => Physical::Time,
            "uuid" => Physical::Uuid,
            "binary" | "varbinary" | "blob" if meaning == Meaning::Id => return None,
            name if name.ends_with("int") => Physical::Integer,
            name if name.contains("char") || name.contains("text") => Physical::Text,
            _ => Physical::Other,
        },
        Dialect::Sqlite => match &*found.type_name {
            name if name.contains("int") => Physical::Integer,
            name if name.contains("date") || name.contains("time") => match found.sample.as_deref() {
                Some("integer" | "real") => Physical::Integer,
                _ => Physical::Time,
            },
            _ if meaning == Meaning::Time => Physical::Time,
            _ => Physical::Text,
        },
    };
    match (meaning, raw) {
        (Meaning::Time, Physical::Integer) => Some(Physical::Millis),
        (Meaning::Time, Physical::Time) => Some(raw),
        (Meaning::Id, Physical::Text | Physical::Integer | Physical::Uuid) => Some(raw),
        (Meaning::Text, Physical::Text | Physical::Other | Physical::Uuid) => Some(raw),
        (Meaning::Number, Physical::Integer) => Some(raw),
        (Meaning::Seconds, Physical::Integer | Physical::Time) => Some(raw),
        _ => None,
    }
}
