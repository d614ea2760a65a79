//! The one place where sqlx is spoken: statements go in with texts and integers, and rows of such come out.

use std::{fmt, future::Future, pin::Pin};

use super::{
    dialect::Dialect,
    statement::{Arg, Row, Statement},
};

pub(in crate::store) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'a>>;
pub(in crate::store) type Connection<B> = <<B as Backend>::Database as sqlx::Database>::Connection;
pub(in crate::store) type Options<B> = <Connection<B> as sqlx::Connection>::Options;

/// A database that sqlx knows.
pub(in crate::store) trait Backend: fmt::Debug + Send + Sync + 'static {
    type Database: sqlx::Database;

    const DIALECT: Dialect;
    /// Begins a transaction that writes.
    const BEGIN: &'static str;

    /// Where the database is, to be told to its operator: nothing that authenticates.
    fn place(options: &Options<Self>) -> String
    where
        Self: Sized;

    /// The rows that a statement answers.
    fn rows<'a>(
        connection: &'a mut Connection<Self>,
        statement: &'a Statement,
        args: &'a [Arg<'a>],
    ) -> Answer<'a, Vec<Row>>
    where
        Self: Sized;

    /// What a statement did that answers none.
    fn run<'a>(
        connection: &'a mut Connection<Self>,
        statement: &'a Statement,
        args: &'a [Arg<'a>],
    ) -> Answer<'a, Ran>
    where
        Self: Sized;

    /// Several statements without arguments.
    fn script<'a>(connection: &'a mut Connection<Self>, script: &'a str) -> Answer<'a, ()>
    where
        Self: Sized;
}

#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Ran {
    pub(in crate::store) rows: u64,
    /// The id that was counted up for the row that was made.
    pub(in crate::store) id: i64,
}

/// Implements [`Backend`]; the types that sqlx has for each database share no bounds that could be named.
macro_rules! backend {
    (
        $name:ident: $database:ty, $dialect:ident, $begin:literal, |$result:ident| $id:expr,
        |$options:ident| $place:expr
    ) => {
        impl $crate::store::sql::Backend for $name {
            type Database = $database;

            const DIALECT: $crate::store::sql::Dialect = $crate::store::sql::Dialect::$dialect;
            const BEGIN: &'static str = $begin;

            fn place($options: &$crate::store::sql::Options<Self>) -> String {
                $place
            }

            fn rows<'a>(
                connection: &'a mut $crate::store::sql::Connection<Self>,
                statement: &'a $crate::store::sql::Statement,
                args: &'a [$crate::store::sql::Arg<'a>],
            ) -> $crate::store::sql::Answer<'a, Vec<$crate::store::sql::Row>> {
                use sqlx::Row as _;
                use $crate::store::sql::{Cell, Out, Row};
                Box::pin(async move {
                    let text = sqlx::AssertSqlSafe(std::sync::Arc::clone(&statement.text));
                    let rows =
                        sqlx::query_with(text, arguments(statement, args)?).fetch_all(connection).await?;
                    let cell = |row: &<$database as sqlx::Database>::Row, index: usize, out: &Out| {
                        Ok(match out {
                            Out::Text => Cell::Text(row.try_get_unchecked(index)?),
                            Out::Integer => Cell::Integer(row.try_get_unchecked(index)?),
                        })
                    };
                    let row = |row| {
                        let out = statement.out.iter().enumerate();
                        out.map(|(index, out)| cell(row, index, out))
                            .collect::<std::result::Result<Vec<_>, sqlx::Error>>()
                            .map(Row::new)
                    };
                    rows.iter().map(row).collect()
                })
            }

            fn run<'a>(
                connection: &'a mut $crate::store::sql::Connection<Self>,
                statement: &'a $crate::store::sql::Statement,
                args: &'a [$crate::store::sql::Arg<'a>],
            ) -> $crate::store::sql::Answer<'a, $crate::store::sql::Ran> {
                Box::pin(async move {
                    let text = sqlx::AssertSqlSafe(std::sync::Arc::clone(&statement.text));
                    let $result =
                        sqlx::query_with(text, arguments(statement, args)?).execute(connection).await?;
                    Ok($crate::store::sql::Ran { rows: $result.rows_affected(), id: $id })
                })
            }

            fn script<'a>(
                connection: &'a mut $crate::store::sql::Connection<Self>,
                script: &'a str,
            ) -> $crate::store::sql::Answer<'a, ()> {
                Box::pin(async move {
                    // One by one: MySQL takes no two at once.
                    for statement in script.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                        sqlx::Executor::execute(
                            &mut *connection,
                            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)),
                        )
                        .await?;
                    }
                    Ok(())
                })
            }
        }

        fn arguments(
            statement: &$crate::store::sql::Statement,
            args: &[$crate::store::sql::Arg<'_>],
        ) -> std::result::Result<<$database as sqlx::Database>::Arguments, sqlx::Error> {
            use sqlx::Arguments as _;
            let mut bound = <$database as sqlx::Database>::Arguments::default();
            for arg in statement.arranged(args) {
                match arg {
                    $crate::store::sql::Arg::Text(text) => bound.add(text),
                    $crate::store::sql::Arg::Integer(number) => bound.add(number),
                }
                .map_err(sqlx::Error::Encode)?;
            }
            Ok(bound)
        }
    };
}

pub(in crate::store) use backend;
