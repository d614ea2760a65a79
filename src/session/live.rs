//! A session that counts, wherever it lives.

use std::{borrow::Cow, fmt, sync::OnceLock};

use serde_json::Value;

#[cfg(feature = "oauth")]
use super::Upstream;
use super::{Claims, Registered, Session, UserClaims, model::SessionUser};
use crate::{
    clock::Timestamp,
    dialect::Rules,
    store::{SessionAndUser, StoredSession},
    user::User,
};

/// A session that counts: what was looked at of it, and what the rest can be read from.
#[derive(Debug, Clone)]
pub(crate) struct LiveSession {
    pub(crate) registered: Registered,
    source: Source,
}

#[derive(Clone)]
enum Source {
    /// The session is the token.
    Token {
        /// Its claims as JSON.
        json: Vec<u8>,
        /// Made with an older secret or read in another dialect.
        outdated: bool,
    },
    /// The session is a row.
    Store(Row),
}

/// A row, and what it looks like as claims once somebody asks: guards read claims.
#[derive(Clone)]
struct Row {
    found: SessionAndUser,
    /// What the cookie holds.
    token: String,
    claims: OnceLock<Vec<u8>>,
}

impl LiveSession {
    pub(crate) fn of_token(json: Vec<u8>, registered: Registered, outdated: bool) -> Self {
        Self { registered, source: Source::Token { json, outdated } }
    }

    pub(super) fn of_row(found: SessionAndUser, token: String) -> Self {
        let session = &found.session;
        let registered = Registered {
            expires: Some(session.expires),
            issued: session.created,
            auth_time: session.created,
            has_subject: true,
            ..Registered::default()
        };
        Self { registered, source: Source::Store(Row { found, token, claims: OnceLock::new() }) }
    }

    /// The claims as JSON: those of the token, or what the row would be as one.
    pub(crate) fn claims_json(&self) -> &[u8] {
        match &self.source {
            Source::Token { json, .. } => json,
            Source::Store(row) => {
                row.claims.get_or_init(|| claims_of(&row.found.user, &self.registered).to_json())
            }
        }
    }

    pub(crate) fn claims(&self) -> Option<Claims> {
        match &self.source {
            Source::Token { json, .. } => Claims::from_json(json),
            Source::Store(row) => Some(claims_of(&row.found.user, &self.registered)),
        }
    }

    /// The row, where sessions live in a store.
    pub(crate) fn stored(&self) -> Option<&StoredSession> {
        match &self.source {
            Source::Token { .. } => None,
            Source::Store(row) => Some(&row.found.session),
        }
    }

    /// The user's row, where sessions live in a store.
    pub(crate) fn user(&self) -> Option<&User> {
        match &self.source {
            Source::Token { .. } => None,
            Source::Store(row) => Some(&row.found.user),
        }
    }

    /// What the cookie holds, where sessions live in a store.
    pub(crate) fn stored_token(&self) -> Option<&str> {
        match &self.source {
            Source::Token { .. } => None,
            Source::Store(row) => Some(&row.token),
        }
    }

    /// Whether its user is in no store, although there is one.
    pub(crate) fn is_unstored(&self) -> bool {
        self.stored().is_none() && self.claims().is_some_and(|claims| claims.is_unstored())
    }

    /// The session at a provider that it was begun with, where that was noted.
    #[cfg(feature = "oauth")]
    pub(crate) fn upstream(&self) -> Option<Upstream> {
        match &self.source {
            Source::Token { json, .. } => Upstream::of(Claims::from_json(json)?.members()),
            Source::Store(row) => Upstream::of(&row.found.session.data),
        }
    }

    pub(super) fn is_outdated(&self) -> bool {
        matches!(self.source, Source::Token { outdated: true, .. })
    }

    pub(crate) fn subject(&self) -> Option<Cow<'_, str>> {
        match &self.source {
            Source::Token { json, .. } => Some(Cow::Owned(Claims::from_json(json)?.subject()?.into_owned())),
            Source::Store(row) => Some(Cow::Borrowed(&row.found.user.id)),
        }
    }

    /// What clients are shown of it before the `session` callback.
    pub(crate) fn session(&self, rules: &Rules, expires: Timestamp) -> Option<Session> {
        match &self.source {
            Source::Token { json, .. } => session_of_claims(json, rules, expires),
            Source::Store(row) => Some(session_of_user(&row.found.user, expires)),
        }
    }

    /// The same session with the end, and the claims, of its renewal.
    pub(crate) fn renewed(self, claims: &Claims, expires: Timestamp) -> Self {
        let registered = Registered { expires: Some(expires), ..self.registered };
        let source = match self.source {
            Source::Token { .. } => Source::Token { json: claims.to_json(), outdated: false },
            row @ Source::Store(_) => row,
        };
        Self { registered, source }
    }
}

pub(crate) fn session_of_claims(json: &[u8], rules: &Rules, expires: Timestamp) -> Option<Session> {
    Some(Claims::read_as::<UserClaims>(json).ok()?.into_session(rules, expires))
}

/// In every dialect what is unknown is `null` here, as in the row (`docs/protocol.md` section 10.2).
fn session_of_user(user: &User, expires: Timestamp) -> Session {
    let mut shown = SessionUser {
        name: user.name.clone(),
        email: user.email.clone(),
        image: user.image.clone(),
        ..SessionUser::default()
    };
    for (name, value) in [("name", &user.name), ("email", &user.email), ("image", &user.image)] {
        if value.is_none() {
            shown.insert(name, Value::Null);
        }
    }
    Session::new(shown, expires, user.id.clone())
}

fn claims_of(user: &User, registered: &Registered) -> Claims {
    let mut claims = Claims::of_user(user);
    for (name, value) in &user.extra {
        // What decides who this is and how long is not for a column of the application's to say.
        if claims.get(name).is_none() && !Registered::NAMES.contains(&name.as_str()) {
            claims.insert(name.as_str(), value.clone());
        }
    }
    for (name, time) in
        [("exp", registered.expires), ("iat", registered.issued), ("auth_time", registered.auth_time)]
    {
        if let Some(time) = time {
            claims.insert(name, time.as_secs());
        }
    }
    claims
}

/// Where it lives.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token { .. } => "Token",
            Self::Store(_) => "Store",
        })
    }
}
