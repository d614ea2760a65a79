//! Statements, what is bound to them and what they answer, the same for all databases: texts and integers.

use std::{sync::Arc, vec};

use super::{dialect::Dialect, fault::Fault};

/// A statement whose text was made once, so that the database prepares it once for each connection.
#[derive(Debug)]
pub(in crate::store) struct Statement {
    pub(in crate::store) text: Arc<str>,
    /// Which argument stands at each place, where places have no numbers.
    order: Option<Box<[usize]>>,
    pub(in crate::store) out: &'static [Out],
}

/// What a column of the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Out {
    Text,
    Integer,
}

/// What is bound. Times are milliseconds since 1970; the statement makes of them what the column is.
#[derive(Clone, Copy)]
pub(in crate::store) enum Arg<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
}

impl Statement {
    /// `text` has places `$1` to `$99` for arguments, in any order and any number of times.
    pub(super) fn new(dialect: Dialect, text: &str, out: &'static [Out]) -> Self {
        if dialect != Dialect::MySql {
            return Self { text: text.into(), order: None, out };
        }
        let (mut plain, mut order) = (String::with_capacity(text.len()), Vec::new());
        let mut parts = text.split('$');
        plain.extend(parts.next());
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let number = part[..digits].parse::<usize>().unwrap_or(1);
            order.push(number - 1);
            plain.push('?');
            plain.push_str(&part[digits..]);
        }
        Self { text: plain.into(), order: Some(order.into()), out }
    }

    /// The arguments at their places.
    pub(in crate::store) fn arranged<'a>(&self, args: &'a [Arg<'a>]) -> impl Iterator<Item = Arg<'a>> {
        let count = self.order.as_ref().map_or(args.len(), |order| order.len());
        (0..count).filter_map(|place| {
            let index = self.order.as_ref().map_or(place, |order| order[place]);
            args.get(index).copied()
        })
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Option<String>> for Arg<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<crate::clock::Timestamp> for Arg<'_> {
    fn from(time: crate::clock::Timestamp) -> Self {
        Self::Integer(Some(time.as_millis()))
    }
}

impl From<Option<crate::clock::Timestamp>> for Arg<'_> {
    fn from(time: Option<crate::clock::Timestamp>) -> Self {
        Self::Integer(time.map(crate::clock::Timestamp::as_millis))
    }
}

/// A value of a row.
#[derive(Debug)]
pub(in crate::store) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
}

/// A row, taken apart from left to right.
#[derive(Debug)]
pub(in crate::store) struct Row(vec::IntoIter<Cell>);

impl Row {
    pub(in crate::store) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    pub(super) fn text(&mut self) -> Option<String> {
        match self.0.next() {
            Some(Cell::Text(text)) => text,
            Some(Cell::Integer(number)) => number.map(|number| number.to_string()),
            None => None,
        }
    }

    pub(super) fn integer(&mut self) -> Option<i64> {
        match self.0.next() {
            Some(Cell::Integer(number)) => number,
            _ => None,
        }
    }

    /// What must not be missing.
    pub(super) fn needed_text(&mut self, what: &'static str) -> Result<String, Fault> {
        self.text().ok_or(Fault::Unreadable(what))
    }

    pub(super) fn time(&mut self) -> Option<crate::clock::Timestamp> {
        self.integer().map(crate::clock::Timestamp::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_without_numbers_are_filled_in_order() {
        let statement = Statement::new(Dialect::MySql, "update t set a = $2, b = $12 where (a = $1)", &[]);
        assert_eq!(&*statement.text, "update t set a = ?, b = ? where (a = ?)");
        assert_eq!(statement.order.as_deref(), Some(&[1, 11, 0][..]));
        let args = [Arg::from("one"), Arg::from(2)];
        assert_eq!(statement.arranged(&args).count(), 2, "the twelfth is not there");
        assert_eq!(&*Statement::new(Dialect::Sqlite, "select $1", &[]).text, "select $1");
    }
}
