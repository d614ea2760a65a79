use std::fmt::Display;

use crate::store::{Result, StoreError};

/// What the tables are called, and what their columns.
///
/// ```
/// use portcullis::store::Tables;
///
/// assert_eq!(Tables::default(), Tables::authjs());
/// // `acme_users`, `acme_accounts`, …: a namespace of its own in a shared database.
/// let tables = Tables::prefix("acme_");
/// // The names that Drizzle gives them.
/// let drizzle = Tables::authjs().users("user").accounts("account").sessions("session");
/// # let _ = (tables, drizzle.verification_tokens("verificationToken"));
/// ```
///
/// Names are letters, digits and `_`, at most 48 of them, the first no digit; a store refuses others when it is
/// made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    pub(super) users: String,
    pub(super) accounts: String,
    pub(super) sessions: String,
    pub(super) tokens: String,
    pub(super) revocations: String,
    pub(super) migrations: String,
    pub(super) naming: Naming,
}

/// How the columns are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// As Auth.js does: `userId`, but `access_token`.
    AuthJs,
    /// As NextAuth.js v3 did: `user_id`.
    V3,
}

const LONGEST: usize = 48;

impl Tables {
    /// `users`, `accounts`, `sessions`, `verification_token`: those of `@auth/pg-adapter`.
    pub fn authjs() -> Self {
        Self::prefix("")
    }

    /// `User`, `Account`, `Session`, `VerificationToken`: those of the Prisma schema in the Auth.js documentation.
    pub fn prisma() -> Self {
        Self {
            users: "User".into(),
            accounts: "Account".into(),
            sessions: "Session".into(),
            tokens: "VerificationToken".into(),
            revocations: "Revocation".into(),
            migrations: "PortcullisMigration".into(),
            naming: Naming::AuthJs,
        }
    }

    /// Those of NextAuth.js v3 with TypeORM. They are read, never written: for the time of a move.
    pub fn v3() -> Self {
        Self { tokens: "verification_requests".into(), naming: Naming::V3, ..Self::authjs() }
    }

    /// Those of [`authjs`](Self::authjs), each with `prefix` in front.
    pub fn prefix(prefix: &str) -> Self {
        let name = |name: &str| format!("{prefix}{name}");
        Self {
            users: name("users"),
            accounts: name("accounts"),
            sessions: name("sessions"),
            tokens: name("verification_token"),
            revocations: name("revocations"),
            migrations: name("portcullis_migrations"),
            naming: Naming::AuthJs,
        }
    }

    /// Another name for the table of users.
    #[must_use]
    pub fn users(mut self, name: impl Into<String>) -> Self {
        self.users = name.into();
        self
    }

    /// Another name for the table of accounts.
    #[must_use]
    pub fn accounts(mut self, name: impl Into<String>) -> Self {
        self.accounts = name.into();
        self
    }

    /// Another name for the table of sessions.
    #[must_use]
    pub fn sessions(mut self, name: impl Into<String>) -> Self {
        self.sessions = name.into();
        self
    }

    /// Another name for the table of one-time tokens.
    #[must_use]
    pub fn verification_tokens(mut self, name: impl Into<String>) -> Self {
        self.tokens = name.into();
        self
    }

    /// Another name for the table of revocations, which is ours alone.
    #[must_use]
    pub fn revocations(mut self, name: impl Into<String>) -> Self {
        self.revocations = name.into();
        self
    }

    /// S91: names are the one thing in statements that is not bound.
    pub(super) fn check(&self) -> Result<()> {
        let names =
            [&self.users, &self.accounts, &self.sessions, &self.tokens, &self.revocations, &self.migrations];
        match names.into_iter().find(|name| !is_name(name)) {
            None => Ok(()),
            Some(name) => Err(refused(format_args!("{name:?}"))),
        }
    }

    pub(super) fn are_read_only(&self) -> bool {
        self.naming == Naming::V3
    }
}

/// Those of Auth.js.
impl Default for Tables {
    fn default() -> Self {
        Self::authjs()
    }
}

fn refused(name: impl Display) -> StoreError {
    StoreError::configuration(format!(
        "{name} is no name for a table: use letters, digits and _, at most {LONGEST}, the first no digit"
    ))
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    name.len() <= LONGEST
        && letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S91: what is not a plain name never gets into a statement.
    #[test]
    fn s91_names_of_tables_are_plain() {
        for prefix in ["", "acme_", "_", "a1"] {
            assert!(Tables::prefix(prefix).check().is_ok(), "{prefix:?}");
        }
        for prefix in ["1", "a-", "a\"", "a`", "a;", "ä", "a b", "a.", "$1", &"x".repeat(40)] {
            assert!(Tables::prefix(prefix).check().is_err(), "{prefix:?}");
            assert!(Tables::authjs().sessions(format!("{prefix}sessions-")).check().is_err());
        }
        assert!(Tables::prisma().check().is_ok() && Tables::v3().check().is_ok());
    }
}
