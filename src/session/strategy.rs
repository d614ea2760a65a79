//! Where sessions live: in the token itself (the JWT strategy of Auth.js), or in a store (its database
//! strategy). Nothing outside of this module knows which.

use std::{borrow::Cow, sync::Arc, time::Duration};

use memchr::memmem::Finder;

use super::{
    revocations::{Revocations, Standing},
    rows::{Possible, Rows},
};
use crate::{
    clock::Timestamp,
    codec::{Codec, CodecError, Opened},
    cookie::{CookieHeaders, CookieNames, CookieSpec, SessionCookies, SetCookie, write_session},
    dialect::Rules,
    session::{
        Carried, Claims, Expected, Found, Later, Lifetime, LiveSession, Present, Registered,
        found::{Attempt, Locked},
        lifetime,
    },
};

/// Reads, makes and removes the session cookie, and what it stands for. One for http and one for https, since the
/// names differ.
#[derive(Debug)]
pub(crate) struct Strategy {
    profiles: [Profile; 2],
    lifetime: Lifetime,
    expected: Expected,
    record_auth_time: bool,
    place: Place,
}

/// Where sessions live.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the token; revocations, if they are kept.
    Token(Option<Revocations>),
    Store(Rows),
}

/// The cookies at one scheme.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) names: CookieNames,
    /// What is read; the first one is also what is written.
    pub(super) readers: Vec<Reader>,
}

#[derive(Debug)]
pub(super) struct Reader {
    rules: &'static Rules,
    pub(super) spec: CookieSpec,
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

impl Strategy {
    pub(crate) fn new(http: Profile, https: Profile, lifetime: Lifetime, place: Place) -> Self {
        Self {
            profiles: [http, https],
            lifetime,
            expected: Expected::default(),
            record_auth_time: false,
            place,
        }
    }

    /// The rows, where sessions are rows.
    pub(crate) fn rows(&self) -> Option<&Rows> {
        match &self.place {
            Place::Token(_) => None,
            Place::Store(rows) => Some(rows),
        }
    }

    /// The revocations, where sessions are tokens and revocations are kept.
    pub(crate) fn revocations(&self) -> Option<&Revocations> {
        match &self.place {
            Place::Token(revocations) => revocations.as_ref(),
            Place::Store(_) => None,
        }
    }

    pub(crate) fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Tokens say when their user signed in. Rows always do.
    pub(crate) fn recording_auth_time(mut self, record: bool) -> Self {
        self.record_auth_time = record;
        self
    }

    pub(crate) fn records_auth_time(&self) -> bool {
        self.record_auth_time
            || self.lifetime.absolute.is_some()
            || self.rows().is_some()
            || self.revocations().is_some()
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

    /// Whose session the cookies of a request are, as far as that is known now.
    pub(crate) fn read_cookies(&self, cookies: &CookieHeaders<'_>, https: bool, now: Timestamp) -> Found {
        self.read(&self.carried(cookies, https), https, now)
    }

    /// The same, of cookies that were found already.
    pub(crate) fn read(&self, carried: &Carried<'_>, https: bool, now: Timestamp) -> Found {
        if let Some(rows) = self.rows() {
            let mut tokens = Possible::default();
            for (_, cookies) in carried.iter() {
                cookies.candidates().for_each(|token| tokens.add(token));
            }
            return rows.find_now(tokens, &self.lifetime, now);
        }
        let (mut found, mut locked) = (Found::Nobody, None);
        for (reader, cookies) in carried.iter() {
            for token in cookies.candidates() {
                if let Some(session) = self.open(https, *reader, token, now).or_note(&mut locked) {
                    found.add(session);
                }
            }
        }
        self.standing(found.or_locked(locked), now)
    }

    /// The session of one token, from wherever it came.
    pub(crate) fn read_token(&self, token: &str, https: bool, now: Timestamp) -> Found {
        if let Some(rows) = self.rows() {
            let mut tokens = Possible::default();
            tokens.add(Cow::Borrowed(token));
            return rows.find_now(tokens, &self.lifetime, now);
        }
        let mut locked = None;
        let mut readers = 0..self.profile(https).readers.len();
        let session = readers
            .find_map(|reader| self.open(https, reader, Cow::Borrowed(token), now).or_note(&mut locked));
        self.standing(session.map_or(Found::Nobody, Found::Session).or_locked(locked), now)
    }

    /// What was found, unless it is revoked.
    fn standing(&self, found: Found, now: Timestamp) -> Found {
        let Some(revocations) = self.revocations() else { return found };
        match found {
            Found::Session(session) => match revocations.standing(&session, now) {
                Standing::Counts => Found::Session(session),
                Standing::Revoked => Found::Nobody,
                Standing::Unknown => Found::Later(Later::Unchecked(Box::new(session))),
            },
            found => found,
        }
    }

    /// Every session that the tokens of a request open, whoever's they are; `None` if that cannot be known.
    pub(crate) async fn read_all(
        &self,
        tokens: &[String],
        https: bool,
        now: Timestamp,
    ) -> Option<Vec<LiveSession>> {
        let mut all = Vec::new();
        for token in tokens {
            let found = match self.read_token(token, https, now) {
                Found::Later(later) => self.settle(later, https, now).await,
                found => found,
            };
            match found {
                Found::Session(session) => all.push(session),
                Found::Unavailable | Found::Later(_) => return None,
                Found::Nobody | Found::Disputed => {}
            }
        }
        Some(all)
    }

    /// What was found once it has been waited for.
    pub(crate) async fn settle(&self, later: Later, https: bool, now: Timestamp) -> Found {
        match later {
            Later::Stored(tokens) => match self.rows() {
                Some(rows) => rows.find(tokens, &self.lifetime, now).await,
                None => Found::Nobody,
            },
            // Boxed: tokens seldom wait, and those who ask for rows should not carry the room for it.
            Later::Locked(locked) => {
                Box::pin(async move {
                    let found = self.unlock(locked, https, now).await;
                    self.fresh_standing(found, now).await
                })
                .await
            }
            Later::Unchecked(session) => Box::pin(self.fresh_standing(Found::Session(*session), now)).await,
        }
    }

    /// What was found, unless it is revoked by a list that is new enough.
    async fn fresh_standing(&self, found: Found, now: Timestamp) -> Found {
        match (found, self.revocations()) {
            (Found::Session(session), Some(revocations)) => {
                match revocations.fresh_standing(&session, now).await {
                    Standing::Counts => Found::Session(session),
                    Standing::Revoked => Found::Nobody,
                    Standing::Unknown => Found::Unavailable,
                }
            }
            (found, _) => found,
        }
    }

    /// Waits for newer keys and tries once more.
    async fn unlock(&self, locked: Locked, https: bool, now: Timestamp) -> Found {
        let Locked { token, reader, .. } = locked;
        if let Some(refresh) = self.profile(https).readers[reader].codec.refresh() {
            refresh.await;
        }
        let mut locked = None;
        let session = self.open(https, reader, Cow::Owned(token), now).or_note(&mut locked);
        if locked.is_some_and(|locked| locked.keyless) {
            tracing::warn!("nobody can be told: the keys for session tokens cannot be read");
            return Found::Unavailable;
        }
        session.map_or(Found::Nobody, Found::Session)
    }

    /// Whether a request has session cookies, good or bad.
    pub(crate) fn has_cookie(&self, cookies: &CookieHeaders<'_>, https: bool) -> bool {
        !self.carried(cookies, https).is_empty()
    }

    /// The first token that the cookies hold, without opening it.
    pub(crate) fn raw_cookie(&self, cookies: &CookieHeaders<'_>, https: bool) -> Option<String> {
        let carried = self.carried(cookies, https);
        carried.iter().find_map(|(_, cookies)| Some(cookies.candidates().next()?.into_owned()))
    }

    fn open(&self, https: bool, index: usize, token: Cow<'_, str>, now: Timestamp) -> Attempt {
        let reader = &self.profile(https).readers[index];
        let opened = match reader.codec.decode(&token) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(%error, dialect = reader.rules.name, "a session token was refused");
                if !error.is_unknown_key() {
                    return Attempt::Refused;
                }
                let (token, keyless) = (token.into_owned(), error.is_no_keys());
                return Attempt::Locked(Locked { token, reader: index, keyless });
            }
        };
        self.judge(reader, opened, index > 0, now).map_or(Attempt::Refused, Attempt::Opened)
    }

    /// Whether the claims of a token that verified make a session.
    fn judge(
        &self,
        reader: &Reader,
        mut opened: Opened,
        foreign: bool,
        now: Timestamp,
    ) -> Option<LiveSession> {
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
        Some(LiveSession::of_token(opened.claims, registered, foreign || opened.outdated_key))
    }

    /// When a session ends if nobody renews it: its token, or the absolute limit.
    pub(crate) fn end(&self, session: &Registered) -> Option<Timestamp> {
        let end = session.expires?;
        let limit = self.lifetime.absolute.and_then(|limit| Some(session.begun()?.plus(limit)));
        Some(limit.map_or(end, |limit| end.min(limit)))
    }

    /// Whether a token was revoked; a list that cannot be read revokes nothing here.
    pub(crate) async fn is_revoked(&self, session: &LiveSession, now: Timestamp) -> bool {
        match self.revocations() {
            Some(revocations) => {
                matches!(revocations.fresh_standing(session, now).await, Standing::Revoked)
            }
            None => false,
        }
    }

    /// When the last token that counts at `now` is over, however often it is renewed until it is revoked.
    pub(crate) fn last_end(&self, now: Timestamp) -> Timestamp {
        let leeway = Duration::from_secs(self.profile(true).writer().rules.leeway.unsigned_abs());
        let max_age = self.lifetime.max_age + leeway;
        self.revocations().map_or(now.plus(max_age), |revocations| revocations.known_until(now, max_age))
    }

    /// Whether a token counts by the list as it stands in the store at this moment; `None` if that cannot be known.
    pub(crate) async fn counts_now(&self, session: &LiveSession) -> Option<bool> {
        let Some(revocations) = self.revocations() else { return Some(true) };
        match revocations.sure_standing(session).await {
            Standing::Counts => Some(true),
            Standing::Revoked => Some(false),
            Standing::Unknown => None,
        }
    }

    /// What was found, for those who cannot wait.
    pub(crate) fn settle_now(&self, later: Later) -> Found {
        match later {
            Later::Locked(locked) if locked.keyless => Found::Unavailable,
            // A key that the issuer does not publish; the id of a row, which is no token.
            Later::Locked(_) | Later::Stored(_) => Found::Nobody,
            Later::Unchecked(session) => match self.revocations().map(|list| list.last_standing(&session)) {
                Some(Standing::Revoked) => Found::Nobody,
                Some(Standing::Counts) | None => Found::Session(*session),
                Some(Standing::Unknown) => Found::Unavailable,
            },
        }
    }

    /// Whether a read should renew the session.
    pub(crate) fn is_due(&self, session: &LiveSession, now: Timestamp) -> bool {
        match session.stored() {
            Some(row) => lifetime::extension(row, &self.lifetime, now).is_some(),
            None => session.is_outdated() || self.lifetime.is_due(&session.registered, now),
        }
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
        let beginning =
            || self.revocations().map_or(now, |revocations| revocations.beginning_of(claims, now));
        let begun = before.map_or_else(beginning, |session| session.begun().unwrap_or(now));
        let expires = self.lifetime.expiry(now, begun);
        claims.insert("iat", now.as_secs());
        claims.insert("exp", expires.as_secs());
        if writer.rules.token_id {
            claims.insert("jti", uuid::Uuid::new_v4().to_string());
        }
        let (auth_time, first_issued) = match before {
            None => (self.records_auth_time().then_some(begun), None),
            // Only a sign-in that was seen has an `auth_time`: it says how fresh a session is.
            Some(session) if session.auth_time.is_some() => (session.auth_time, None),
            Some(_) => (None, self.records_auth_time().then_some(begun)),
        };
        // Whatever a callback made of them, for it may have been given them by a client.
        let kept = before.and_then(|session| session.kept_at);
        for (name, time) in [("auth_time", auth_time), ("orig_iat", first_issued), ("kept_at", kept)] {
            match time {
                Some(time) => claims.insert(name, time.as_secs()),
                // At a sign-in, `auth_time` may be of the application's own; what ends sessions may not.
                None if before.is_some() || name != "auth_time" => drop(claims.remove(name)),
                None => {}
            }
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
