//! The session as clients see it.

use std::{any, fmt};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::ClientError;
use crate::{clock::Timestamp, session::SessionUser};

/// The session as the server tells it to clients (`docs/protocol.md` section 10.1), with the user as a type of the
/// application.
///
/// It is what a server said of its own visitor, and proves nothing to anybody else. In a handler the session of a
/// request is a [`portcullis::Session`](crate::Session), which nobody but the layer makes.
///
/// ```
/// use portcullis::client::Session;
///
/// let session: Session = serde_json::from_str(
///     r#"{"user":{"name":"J Smith","role":"admin"},"expires":"2026-02-14T12:00:00.000Z"}"#,
/// )?;
/// assert_eq!(session.user.get_str("role"), Some("admin"));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session<U = SessionUser> {
    /// The user as the server's `session` callback left it.
    pub user: U,
    /// When the session ends unless it is renewed before. A `session` callback may have left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Members that the `session` callback added beside `user` and `expires`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl<U: DeserializeOwned> Session<U> {
    /// What a server answered: nobody is signed in where it is `null` (v5) or an empty object (v3, v4).
    ///
    /// The v5 client of npm takes the empty object for a session; it is one in which nobody is.
    pub(super) fn read(mut members: Map<String, Value>) -> Result<Option<Self>, ClientError> {
        if members.is_empty() {
            return Ok(None);
        }
        // A `session` callback may have left that out, too.
        members.entry("user").or_insert_with(|| Value::Object(Map::new()));
        let session = serde_json::from_value(Value::Object(members));
        session.map(Some).map_err(|error| ClientError::user_shape(&error, any::type_name::<U>()))
    }
}

/// Without the user, which may be personal.
impl<U> fmt::Debug for Session<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires", &self.expires).finish_non_exhaustive()
    }
}
