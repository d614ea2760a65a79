//! What clients and handlers see of a session: the JSON of `GET /session` (`docs/protocol.md` section 10.1).

use std::{any::Any, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    clock::Timestamp,
    dialect::Rules,
    error::{SessionError, SessionErrorKind},
};

/// A signed-in user and when the session ends.
///
/// Handlers get one from the extractor or from [`get_server_session`](crate::get_server_session); only this
/// crate makes them. `U` is the application's own type for the user, read from the same JSON that clients
/// see: `Session<MyUser>`.
///
/// There is no session that nobody made: no default, no constructor, and no way to read one from text.
///
/// ```compile_fail,E0277
/// fn or_default<T: Default>() -> T {
///     T::default()
/// }
/// let somebody: portcullis::Session = or_default();
/// ```
///
/// ```compile_fail,E0639
/// # let (user, expires, extra) = (Default::default(), portcullis::Timestamp::from_secs(0), Default::default());
/// let somebody = portcullis::Session { user, expires, extra, subject: "1".to_owned() };
/// ```
///
/// ```compile_fail,E0277
/// let somebody: portcullis::Session = serde_json::from_str(r#"{"user":{},"expires":"2026-01-15T12:00:00.000Z"}"#)?;
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Session<U = SessionUser> {
    /// The user as the `session` callback left it.
    pub user: U,
    /// When the session ends unless it is renewed before.
    pub expires: Timestamp,
    /// Members that the `session` callback added beside `user` and `expires`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
    #[serde(skip)]
    subject: String,
}

impl<U> Session<U> {
    /// Whom the session is about: the token's `sub`, which is the user's id as text. Clients do not see it
    /// unless the `session` callback shows it.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl Session {
    pub(crate) fn new(user: SessionUser, expires: Timestamp, subject: String) -> Self {
        Self { user, expires, extra: Map::new(), subject }
    }

    /// The user as the application's type.
    pub(crate) fn typed<U: DeserializeOwned + 'static>(self) -> Result<Session<U>, SessionError> {
        let mut user = Some(self.user);
        // Already what is asked for: most handlers take the default.
        let user = match (&mut user as &mut dyn Any).downcast_mut::<Option<U>>() {
            Some(same) => same.take(),
            None => user.map(read_user).transpose()?,
        }
        .ok_or(SessionError::new(SessionErrorKind::Shape))?;
        Ok(Session { user, expires: self.expires, extra: self.extra, subject: self.subject })
    }
}

fn read_user<U: DeserializeOwned>(user: SessionUser) -> Result<U, SessionError> {
    serde_json::from_value(user.into_value()).map_err(|error| {
        // Not the error itself: it quotes the value.
        tracing::error!(kind = ?error.classify(), wanted = std::any::type_name::<U>(), "the session's user does not fit the type that the handler asks for");
        SessionError::new(SessionErrorKind::Shape)
    })
}

/// Without the user, which may be personal.
impl<U> fmt::Debug for Session<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The user of a [`Session`]: what Auth.js shows, and what the `session` callback added.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionUser {
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What the `session` callback added, such as `id` or `role`; and `null` members, where a dialect has them.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl SessionUser {
    /// An added member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.extra.get(name)
    }

    /// An added member, as text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.extra.get(name)?.as_str()
    }

    /// Adds a member.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.extra.insert(name.into(), value.into());
    }

    fn into_value(self) -> Value {
        let named = [("name", self.name), ("email", self.email), ("image", self.image)];
        let mut members: Map<String, Value> =
            named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        members.extend(self.extra);
        Value::Object(members)
    }
}

/// Names of the added members only.
impl fmt::Debug for SessionUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionUser").field("extra", &self.extra.keys()).finish_non_exhaustive()
    }
}

/// The claims that a session is made of.
#[derive(Deserialize)]
pub(crate) struct UserClaims {
    #[serde(default)]
    sub: Value,
    #[serde(default, deserialize_with = "present")]
    name: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    email: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    picture: Option<Value>,
}

/// Keeps a `null` apart from an absent claim.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl UserClaims {
    /// The session that these claims show by default. A claim that is not text is shown as it is, under
    /// its name.
    pub(crate) fn into_session(self, rules: &Rules, expires: Timestamp) -> Session {
        let mut user = SessionUser::default();
        let mut extra = Map::new();
        let mut text = |name: &str, claim: Option<Value>| match claim {
            Some(Value::String(text)) => Some(text),
            Some(other) => {
                extra.insert(name.to_owned(), other);
                None
            }
            None if rules.null_members => {
                extra.insert(name.to_owned(), Value::Null);
                None
            }
            None => None,
        };
        user.name = text("name", self.name);
        user.email = text("email", self.email);
        user.image = text("image", self.picture);
        user.extra = extra;
        let subject = match self.sub {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        Session::new(user, expires, subject)
    }
}
