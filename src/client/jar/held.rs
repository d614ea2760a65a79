//! What a jar holds, and which cookies it takes (RFC 6265 section 5.3).

use std::{cmp::Reverse, mem};

use cookie::Cookie as SetCookie;
use cookie_store::Cookie;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use crate::{clock::Timestamp, dialect::Dialect, random};

/// How many cookies a jar keeps; the oldest make room.
pub(super) const MAX_COOKIES: usize = 200;
/// The longest name and value, together, and the longest of what follows them, in bytes (RFC 6265bis section 5.6).
const MAX_PAIR: usize = 4096;
const MAX_ATTRIBUTE: usize = 1024;

#[derive(Default)]
pub(super) struct Held {
    pub(super) cookies: Vec<Cookie<'static>>,
    pub(super) turn: Turn,
}

/// Another one each time somebody signs in or out, or changes the session, with this jar. It says nothing but that: two
/// programs that each do so once have different ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::client) struct Turn(u64);

/// What a response answers, of which its cookies are judged.
#[derive(Debug, Clone, Copy)]
pub(in crate::client) enum Answering {
    /// A request that may change who is signed in.
    Change,
    /// One that changes the session, sent in this turn.
    Update(Turn),
    /// Any other, sent in this turn.
    Read(Turn),
}

/// What became of a response's cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Taken {
    /// The jar is as it was.
    Same,
    /// It has changed.
    Changed,
    /// They belong to a session that is over, or as it was before.
    Left,
}

/// What a storage is given.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved<C> {
    pub(super) turn: Turn,
    pub(super) cookies: Vec<C>,
}

impl Turn {
    pub(super) fn next(self) -> Self {
        // Without randomness two programs may come to the same one, as if they were one.
        Self(random::bytes().map_or_else(|_| self.0.wrapping_add(1), u64::from_ne_bytes))
    }
}

impl Held {
    pub(super) fn named<'h>(
        &'h self,
        url: &'h Url,
        ending: &'h str,
    ) -> impl Iterator<Item = &'h Cookie<'static>> {
        self.cookies.iter().filter(move |cookie| cookie.name().ends_with(ending) && cookie.matches(url))
    }

    /// In the order in which they are sent: the longest path first, of the same length the oldest.
    pub(super) fn sent_to(&self, url: &Url) -> Vec<&Cookie<'static>> {
        let mut sent: Vec<_> = self.cookies.iter().filter(|cookie| cookie.matches(url)).collect();
        sent.sort_by_key(|cookie| Reverse(cookie.path.len()));
        sent
    }

    /// What lasts, for the storage.
    pub(super) fn to_saved(&self) -> serde_json::Result<String> {
        let cookies = self.cookies.iter().filter(|cookie| cookie.is_persistent()).collect();
        serde_json::to_string(&Saved { turn: self.turn, cookies })
    }

    /// Has what is saved in place of what lasts. Whether the session may be another one now.
    pub(super) fn become_saved(&mut self, saved: Saved<Cookie<'static>>) -> bool {
        let stays = |cookie: &Cookie<'_>| saved.cookies.iter().any(|other| is_same(cookie, other));
        self.cookies.retain(|cookie| !cookie.is_persistent() || stays(cookie));
        for cookie in saved.cookies {
            self.put(cookie);
        }
        mem::replace(&mut self.turn, saved.turn) != saved.turn
    }

    pub(super) fn take(
        &mut self,
        cookies: Vec<Cookie<'static>>,
        answering: Answering,
        now: Timestamp,
    ) -> Taken {
        let before = self.turn;
        match answering {
            Answering::Update(turn) | Answering::Read(turn) if turn != before => return Taken::Left,
            Answering::Change if !cookies.iter().any(may_be_session) => {}
            Answering::Change | Answering::Update(_) => self.turn = before.next(),
            Answering::Read(_) => {}
        }
        let now = now.to_offset();
        let mut changed = self.turn != before;
        for cookie in cookies {
            changed |= if cookie.expires_by(&now) { self.remove(&cookie) } else { self.put(cookie) };
        }
        let count = self.cookies.len();
        self.cookies.retain(|cookie| !cookie.expires_by(&now));
        changed |= self.cookies.len() != count;
        let too_many = self.cookies.len().saturating_sub(MAX_COOKIES);
        self.cookies.drain(..too_many);
        if changed { Taken::Changed } else { Taken::Same }
    }

    /// In the place of the one that it replaces: that decides the order in which they are sent. Whether it is another one.
    fn put(&mut self, cookie: Cookie<'static>) -> bool {
        match self.cookies.iter_mut().find(|known| is_same(known, &cookie)) {
            Some(known) => mem::replace(known, cookie) != *known,
            None => {
                self.cookies.push(cookie);
                true
            }
        }
    }

    /// Whether there was one.
    fn remove(&mut self, cookie: &Cookie<'_>) -> bool {
        let count = self.cookies.len();
        self.cookies.retain(|known| !is_same(known, cookie));
        self.cookies.len() != count
    }
}

/// Whether one takes the other's place (RFC 6265 section 5.3, step 11).
fn is_same(one: &Cookie<'_>, other: &Cookie<'_>) -> bool {
    one.name() == other.name() && one.domain == other.domain && one.path == other.path
}

/// Every cookie but those that Auth.js calls something else: the session's may have a name of its own.
fn may_be_session(cookie: &Cookie<'_>) -> bool {
    let name = cookie.name();
    let name = ["__Secure-", "__Host-"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let stems = Dialect::ALL.iter().map(|dialect| dialect.rules().cookie_stem);
    let known = stems.filter_map(|stem| name.strip_prefix(stem)?.strip_prefix('.')).next();
    known.is_none_or(|kind| kind.starts_with("session-token"))
}

/// A `Set-Cookie` header as it counts here: with its end by the clock that is in use.
pub(super) fn received(header: &str, url: &Url, now: Timestamp) -> Option<Cookie<'static>> {
    let mut cookie = SetCookie::parse(header.to_owned()).ok().filter(is_short)?;
    if let Some(age) = cookie.max_age() {
        cookie.set_expires(now.to_offset().checked_add(age).unwrap_or(latest()));
        cookie.set_max_age(None);
    }
    let received = Cookie::try_from_raw_cookie(&cookie, url).ok()?;
    keeps_its_promise(&cookie).then_some(received)
}

fn is_short(cookie: &SetCookie<'_>) -> bool {
    let attributes = [cookie.path(), cookie.domain()];
    cookie.name().len() + cookie.value().len() <= MAX_PAIR
        && attributes.into_iter().flatten().all(|value| value.len() <= MAX_ATTRIBUTE)
}

/// What a name that begins so promises (RFC 6265bis section 4.1.3).
fn keeps_its_promise(cookie: &SetCookie<'_>) -> bool {
    let begins = |prefix: &str| {
        cookie.name().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let secure = cookie.secure().unwrap_or(false);
    let host_only = cookie.domain().is_none() && cookie.path() == Some("/");
    (!begins("__Secure-") || secure) && (!begins("__Host-") || secure && host_only)
}

fn latest() -> OffsetDateTime {
    Timestamp::from_millis(i64::MAX).to_offset()
}
