//! Users and accounts as providers give them (`docs/protocol.md` sections 9 and 11).

use std::fmt;

use serde_json::{Map, Value};

/// Somebody who has proved who they are.
///
/// ```
/// use portcullis::User;
///
/// let user = User::new("1").name("J Smith").email("jsmith@example.com").with("role", "user");
/// assert_eq!(user.get_str("role"), Some("user"));
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The id, which becomes the token's `sub`.
    pub id: String,
    /// The name to show.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The address of a picture.
    pub image: Option<String>,
    /// Whatever else the application knows; the `jwt` callback decides what of it goes into the token.
    pub extra: Map<String, Value>,
}

impl User {
    /// A user with this id and nothing else.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), name: None, email: None, image: None, extra: Map::new() }
    }

    /// Sets the name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the e-mail address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Sets the address of a picture.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Adds a member of the application's own.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// A member of the application's own.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.extra.get(name)
    }

    /// A member of the application's own, as text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.extra.get(name)?.as_str()
    }
}

/// The id only: the rest may be personal.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How a user signed in: the provider, and who they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The provider's id.
    pub provider: String,
    /// What Auth.js calls its type, such as `credentials`.
    pub kind: &'static str,
    /// The user's id at the provider; for credentials the user's id.
    pub provider_account_id: String,
}
