//! What goes wrong, said once in the terms of the ports.

use std::{borrow::Cow, sync::Arc};

use sqlx::error::{DatabaseError, ErrorKind};

use crate::store::{StoreError, StoreErrorKind};

/// What the inside of a store answers.
pub(super) type Outcome<T> = Result<T, Fault>;

/// Why a statement did not do what it should.
#[derive(Debug)]
pub(in crate::store) enum Fault {
    Database(sqlx::Error),
    /// There is no connection to the database at this place.
    Unconnected(String, sqlx::Error),
    /// No text or id that this database could hold: nobody has it, and it cannot be made.
    Unstorable,
    /// It is there already, or what it needs is not.
    Taken(&'static str),
    /// The tables cannot do that.
    Unplanned(Arc<str>),
    /// A row holds what makes no sense.
    Unreadable(&'static str),
}

impl Fault {
    /// Whether the same again may well succeed: the database has chosen this one to give way to another.
    pub(super) fn gave_way(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let Some(code) = code(error) else { return false };
        // Serialisation, deadlock; SQLite: the snapshot is older than the last write.
        matches!(&*code, "40001" | "40P01" | "517") || database_number(error) == Some(SNAPSHOT_MOVED)
    }

    /// Whether the connection is gone, and not for what was asked.
    pub(super) fn lost_connection(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed) => true,
            Self::Database(error) => {
                code(error).is_some_and(|code| matches!(&*code, "57P01" | "57P02" | "57P03" | "08S01"))
                    || database_number(error).is_some_and(|number| KILLED.contains(&number))
            }
            _ => false,
        }
    }

    fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Database(error) | Self::Unconnected(_, error) => kind(error),
            Self::Unstorable | Self::Taken(_) => StoreErrorKind::Conflict,
            Self::Unplanned(_) | Self::Unreadable(_) => StoreErrorKind::Corrupt,
        }
    }
}

/// MariaDB: record has changed since last read.
const SNAPSHOT_MOVED: u16 = 1020;
/// MySQL and MariaDB: the server is shutting down; the connection was killed, or waited too long.
const KILLED: [u16; 3] = [1053, 1927, 4031];
/// MySQL and MariaDB: a text with letters that the column's character set does not have.
const UNKNOWN_LETTERS: [u16; 4] = [1267, 1270, 1366, 3988];

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        let unstorable = code(&error).as_deref() == Some("22021")
            || database_number(&error).is_some_and(|number| UNKNOWN_LETTERS.contains(&number));
        if unstorable { Self::Unstorable } else { Self::Database(error) }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let kind = fault.kind();
        match fault {
            Fault::Database(error) => Self::new(kind, error),
            Fault::Unconnected(place, sqlx::Error::PoolTimedOut) => Self::new(
                kind,
                format!(
                    "{place}: no connection in time: all of the pool's are taken, or the server takes no new ones"
                ),
            ),
            Fault::Unconnected(place, error) => Self::new(kind, format!("{place}: {error}")),
            Fault::Unstorable => Self::new(kind, "no id or text that this database could hold"),
            Fault::Taken(why) => Self::new(kind, why),
            Fault::Unplanned(why) => Self::new(kind, &*why),
            Fault::Unreadable(what) => Self::new(kind, format!("a row without a readable {what}")),
        }
    }
}

fn kind(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::Database(error) => database_kind(&**error),
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::RowNotFound => StoreErrorKind::Corrupt,
        sqlx::Error::Configuration(_) => StoreErrorKind::Configuration,
        _ => StoreErrorKind::Unavailable,
    }
}

fn database_kind(error: &dyn DatabaseError) -> StoreErrorKind {
    match error.kind() {
        ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation => return StoreErrorKind::Conflict,
        ErrorKind::NotNullViolation | ErrorKind::CheckViolation | ErrorKind::ExclusionViolation => {
            return StoreErrorKind::Corrupt;
        }
        _ => {}
    }
    let code = error.code().unwrap_or_default();
    let corrupt = match code.len() {
        // Classes of SQLSTATE: what data cannot be, what statements cannot do.
        5 => matches!(&code[..2], "22" | "42" | "0A"),
        // SQLite: such a statement, a file that is none, a value of another type.
        _ => code.parse().is_ok_and(|code: u32| matches!(code & 0xff, 1 | 11 | 19 | 20 | 26)),
    };
    if corrupt { StoreErrorKind::Corrupt } else { StoreErrorKind::Unavailable }
}

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

#[cfg(feature = "mysql")]
fn database_number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?;
    Some(error.number())
}

#[cfg(not(feature = "mysql"))]
fn database_number(_: &sqlx::Error) -> Option<u16> {
    None
}
