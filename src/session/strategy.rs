//! Where sessions live: in the token itself (the JWT strategy of Auth.js).

use std::sync::Arc;

use memchr::memmem::Finder;

use crate::{
    clock::Timestamp,
    codec::{Codec, CodecError},
    cookie::{CookieHeaders, CookieNames, CookieSpec, SessionCookies, SetCookie, write_session},
    dialect::Rules,
    session::{Claims, Expected, Lifetime, Registered, lifetime},
};

/// Reads, makes and removes the session cookie. One for http and one for https, since the names differ.
#[derive(Debug)]
pub(crate) struct JwtStrategy {
    profiles: [Profile; 2],
    lifetime: Lifetime,
    expected: Expected,
    record_auth_time: bool,
}

/// The cookies at one scheme.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) names: CookieNames,
    /// What is read; the first one is also what is written.
    readers: Vec<Reader>,
}

#[derive(Debug)]
struct Reader {
    rules: &'static Rules,
    spec: CookieSpec,
    /// Finds the cookie's name in a header, before anything is taken apart.
    name: Finder<'static>,
    codec: Arc<dyn Codec>,
    /// An earlier reader has a cookie of the same name (v3 and v4 do): it is written and removed once.
    shared: bool,
}

impl Reader {
    fn new(rules: &'static Rules, spec: CookieSpec, codec: Arc<dyn Codec>) -> Self {
        let name = Finder::new(&spec.name).into_owned();
        Self { rules, spec, name, codec, shared: false }
    }
}

/// A token that counts: its claims as JSON, and the few that were looked at.
#[derive(Debug)]
pub(crate) struct SealedSession {
    pub(crate) json: Vec<u8>,
    pub(crate) registered: Registered,
    /// Made with an older secret or read in another dialect.
    outdated: bool,
}

impl SealedSession {
    fn subject(&self) -> Option<String> {
        Some(Claims::from_json(&self.json)?.subject()?.into_owned())
    }

    /// The same session with the claims of its renewal.
    pub(crate) fn with_claims(self, json: Vec<u8>, expires: Timestamp) -> Self {
        let registered = Registered { expires: Some(expires), ..self.registered };
        Self { json, registered, outdated: false }
    }
}

impl Profile {
    pub(crate) fn new(names: CookieNames, rules: &'static Rules, codec: Arc<dyn Codec>) -> Self {
        let spec = names.session_token.clone();
        Self { names, readers: vec![Reader::new(rules, spec, codec)] }
    }

    /// Reads this dialect too.
    pub(crate) fn accept(&mut self, spec: CookieSpec, rules: &'static Rules, codec: Arc<dyn Codec>) {
        let shared = self.readers.iter().any(|earlier| earlier.spec.name == spec.name);
        self.readers.push(Reader { shared, ..Reader::new(rules, spec, codec) });
    }

    fn writer(&self) -> &Reader {
        // `new` puts one in and nothing takes it out.
        &self.readers[0]
    }
}

impl JwtStrategy {
    pub(crate) fn new(http: Profile, https: Profile, lifetime: Lifetime) -> Self {
        Self { profiles: [http, https], lifetime, expected: Expected::default(), record_auth_time: false }
    }

    /// Tokens say when their user signed in.
    pub(crate) fn recording_auth_time(mut self, record: bool) -> Self {
        self.record_auth_time = record;
        self
    }

    pub(crate) fn records_auth_time(&self) -> bool {
        self.record_auth_time || self.lifetime.absolute.is_some()
    }

    /// Only tokens that say this count.
    pub(crate) fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    pub(crate) fn profile(&self, https: bool) -> &Profile {
        &self.profiles[usize::from(https)]
    }

    /// The session cookies of a request, good or bad. Allocates only when there are some of two dialects.
    pub(crate) fn carried<'h>(&self, cookies: &CookieHeaders<'h>, https: bool) -> Carried<'h> {
        let mut carried = Carried::default();
        for (index, reader) in self.profile(https).readers.iter().enumerate() {
            if let Some(ours) = SessionCookies::scan(cookies, &reader.name) {
                carried.add(index, ours);
            }
        }
        carried
    }

    /// Whose session the cookies of a request are.
    pub(crate) fn read_cookies(&self, cookies: &CookieHeaders<'_>, https: bool, now: Timestamp) -> Found {
        self.read(&self.carried(cookies, https), https, now)
    }

    /// The same, of cookies that were found already.
    pub(crate) fn read(&self, carried: &Carried<'_>, https: bool, now: Timestamp) -> Found {
        let readers = &self.profile(https).readers;
        Found::of(carried.iter().flat_map(|(index, cookies)| {
            cookies.candidates().filter_map(|token| self.open(&readers[*index], &token, *index > 0, now))
        }))
    }

    /// The session of one token, from wherever it came.
    pub(crate) fn read_token(&self, token: &str, https: bool, now: Timestamp) -> Option<SealedSession> {
        let readers = &self.profile(https).readers;
        readers.iter().enumerate().find_map(|(index, reader)| self.open(reader, token, index > 0, now))
    }

    /// The first token that the cookies hold, without opening it.
    pub(crate) fn raw_cookie(&self, cookies: &CookieHeaders<'_>, https: bool) -> Option<String> {
        let carried = self.carried(cookies, https);
        carried.iter().find_map(|(_, cookies)| Some(cookies.candidates().next()?.into_owned()))
    }

    fn open(&self, reader: &Reader, token: &str, foreign: bool, now: Timestamp) -> Option<SealedSession> {
        let mut opened = match reader.codec.decode(token) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(%error, dialect = reader.rules.name, "a session token was refused");
                return None;
            }
        };
        let registered = Registered::parse(&mut opened.claims)?;
        if !lifetime::is_session(&registered, reader.rules, &self.lifetime, now) {
            tracing::debug!(
                dialect = reader.rules.name,
                "a session token is over, too early, or names nobody"
            );
            return None;
        }
        if !self.expected.admits(&opened.claims) {
            tracing::debug!("a session token is of another issuer or for another audience");
            return None;
        }
        Some(SealedSession { json: opened.claims, registered, outdated: foreign || opened.outdated_key })
    }

    /// Whether a read should renew the session.
    pub(crate) fn is_due(&self, session: &SealedSession, now: Timestamp) -> bool {
        session.outdated || self.lifetime.is_due(&session.registered, now)
    }

    /// Makes a token of `claims`, with new times and a new id, and says when it ends.
    ///
    /// `before` is the session that is renewed; none at a sign-in.
    pub(crate) fn seal(
        &self,
        claims: &mut Claims,
        before: Option<&Registered>,
        https: bool,
        now: Timestamp,
    ) -> Result<(String, Timestamp), CodecError> {
        let writer = self.profile(https).writer();
        let begun = before.map_or(now, |session| session.begun().unwrap_or(now));
        let expires = self.lifetime.expiry(now, begun);
        claims.insert("iat", now.as_secs());
        claims.insert("exp", expires.as_secs());
        if writer.rules.token_id {
            claims.insert("jti", uuid::Uuid::new_v4().to_string());
        }
        if self.records_auth_time() {
            // Only a sign-in that was seen is one: `auth_time` is what says how fresh a session is.
            let seen = before.is_none_or(|session| session.auth_time.is_some());
            claims.insert(if seen { "auth_time" } else { "orig_iat" }, begun.as_secs());
        }
        Ok((writer.codec.encode(&claims.to_json())?, expires))
    }

    /// The cookies that carry `token`, and the removal of those of the request that do not.
    pub(crate) fn cookies(
        &self,
        token: &str,
        expires: Timestamp,
        present: &Present,
        https: bool,
        now: Timestamp,
    ) -> Vec<SetCookie> {
        let profile = self.profile(https);
        let writer = profile.writer();
        let own = present.names(profile, |reader| reader == 0);
        let mut cookies = self.removals(present, profile, |reader| reader > 0, now);
        cookies.extend(write_session(&writer.spec, writer.rules.chunk_size, token, own, expires, now));
        cookies
    }

    /// The removal of every session cookie of the request.
    pub(crate) fn clear(&self, present: &Present, https: bool, now: Timestamp) -> Vec<SetCookie> {
        self.removals(present, self.profile(https), |_| true, now)
    }

    fn removals(
        &self,
        present: &Present,
        profile: &Profile,
        which: impl Fn(usize) -> bool,
        now: Timestamp,
    ) -> Vec<SetCookie> {
        let slots = present.slots().filter(|slot| which(slot.reader) && !profile.readers[slot.reader].shared);
        slots
            .map(|slot| {
                let spec = &profile.readers[slot.reader].spec;
                spec.remove(&slot.name(spec), now)
            })
            .collect()
    }
}

/// Whose session the cookies of a request are.
#[derive(Debug)]
pub(crate) enum Found {
    Nobody,
    Session(SealedSession),
    /// Cookies that verify and are about different people: one was put there by somebody else, such as a
    /// sibling domain, and which one cannot be told. They are not removed either, for a removal might reach
    /// only the right one.
    Disputed,
}

impl Found {
    fn of(mut sessions: impl Iterator<Item = SealedSession>) -> Self {
        let Some(first) = sessions.next() else { return Self::Nobody };
        for other in sessions {
            if first.subject() != other.subject() {
                tracing::warn!(
                    "the session cookies of a request are about different people: it is anonymous"
                );
                return Self::Disputed;
            }
        }
        Self::Session(first)
    }

    pub(crate) fn session(self) -> Option<SealedSession> {
        match self {
            Self::Session(sealed) => Some(sealed),
            Self::Nobody | Self::Disputed => None,
        }
    }
}

/// The session cookies of a request with the number of their reader, borrowed from its headers.
#[derive(Debug, Default)]
pub(crate) struct Carried<'h> {
    first: Option<(usize, SessionCookies<'h>)>,
    rest: Vec<(usize, SessionCookies<'h>)>,
}

impl<'h> Carried<'h> {
    fn add(&mut self, reader: usize, cookies: SessionCookies<'h>) {
        match &self.first {
            None => self.first = Some((reader, cookies)),
            Some(_) => self.rest.push((reader, cookies)),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &(usize, SessionCookies<'h>)> {
        self.first.iter().chain(&self.rest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

/// Which session cookies a request carried. Kept while the handler runs, so the usual case (one plain
/// cookie) takes no allocation.
#[derive(Debug, Default)]
pub(crate) struct Present {
    first: Option<Slot>,
    rest: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    reader: usize,
    chunk: Option<usize>,
}

impl Slot {
    fn name(self, spec: &CookieSpec) -> String {
        match self.chunk {
            Some(number) => format!("{}.{number}", spec.name),
            None => spec.name.clone(),
        }
    }
}

impl Present {
    pub(crate) fn of(carried: &Carried<'_>) -> Self {
        let mut present = Self::default();
        for (reader, cookies) in carried.iter() {
            for chunk in cookies.numbers() {
                present.add(Slot { reader: *reader, chunk });
            }
        }
        present
    }

    fn add(&mut self, slot: Slot) {
        match self.first {
            None => self.first = Some(slot),
            Some(_) => self.rest.push(slot),
        }
    }

    fn slots(&self) -> impl Iterator<Item = Slot> {
        self.first.into_iter().chain(self.rest.iter().copied())
    }

    fn names<'p>(
        &'p self,
        profile: &'p Profile,
        which: impl Fn(usize) -> bool + 'p,
    ) -> impl Iterator<Item = String> + 'p {
        self.slots()
            .filter(move |slot| which(slot.reader))
            .map(|slot| slot.name(&profile.readers[slot.reader].spec))
    }
}
