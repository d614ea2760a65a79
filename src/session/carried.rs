//! Which session cookies a request carries: borrowed while they are read, by number afterwards.

use std::{borrow::Cow, fmt};

use super::strategy::Profile;
use crate::cookie::{CookieSpec, SessionCookies};

/// The session cookies of a request with the number of their reader, borrowed from its headers.
#[derive(Debug, Default)]
pub(crate) struct Carried<'h> {
    first: Option<(usize, SessionCookies<'h>)>,
    rest: Vec<(usize, SessionCookies<'h>)>,
}

impl<'h> Carried<'h> {
    pub(super) fn add(&mut self, reader: usize, cookies: SessionCookies<'h>) {
        match &self.first {
            None => self.first = Some((reader, cookies)),
            Some(_) => self.rest.push((reader, cookies)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(usize, SessionCookies<'h>)> {
        self.first.iter().chain(&self.rest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// What may be tokens of sessions.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Cow<'h, str>> {
        self.iter().flat_map(|(_, cookies)| cookies.candidates())
    }
}

/// Which session cookies a request carried. Kept while the handler runs, so the usual case (one plain
/// cookie) takes no allocation.
#[derive(Default)]
pub(crate) struct Present {
    first: Option<Slot>,
    rest: Vec<Slot>,
    /// All tokens, if there are several.
    tokens: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) reader: usize,
    chunk: Option<usize>,
}

impl Slot {
    pub(super) fn name(self, spec: &CookieSpec) -> String {
        match self.chunk {
            Some(number) => format!("{}.{number}", spec.name),
            None => spec.name.clone(),
        }
    }
}

impl Present {
    pub(crate) fn of(carried: &Carried<'_>) -> Self {
        let mut present = Self { tokens: several(carried), ..Self::default() };
        for (reader, cookies) in carried.iter() {
            for chunk in cookies.numbers() {
                present.add(Slot { reader: *reader, chunk });
            }
        }
        present
    }

    /// What the request carried, if it may be more than one session. One alone is the session that was found.
    pub(crate) fn several(&self) -> Option<&[String]> {
        (!self.tokens.is_empty()).then_some(&*self.tokens)
    }

    fn add(&mut self, slot: Slot) {
        match self.first {
            None => self.first = Some(slot),
            Some(_) => self.rest.push(slot),
        }
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.first.into_iter().chain(self.rest.iter().copied())
    }

    pub(super) fn names<'p>(
        &'p self,
        profile: &'p Profile,
        which: impl Fn(usize) -> bool + 'p,
    ) -> impl Iterator<Item = String> + 'p {
        self.slots()
            .filter(move |slot| which(slot.reader))
            .map(|slot| slot.name(&profile.readers[slot.reader].spec))
    }
}

fn several(carried: &Carried<'_>) -> Vec<String> {
    let count: usize = carried.iter().map(|(_, cookies)| cookies.count()).sum();
    match count {
        0 | 1 => Vec::new(), // The usual case, on each request: nothing is decoded once more.
        _ => carried.tokens().map(Cow::into_owned).collect(),
    }
}

/// Without the tokens.
impl fmt::Debug for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Present")
            .field("first", &self.first)
            .field("rest", &self.rest)
            .field("tokens", &self.tokens.len())
            .finish()
    }
}
