//! Users and accounts as providers give them (`docs/protocol.md` sections 9 and 11).

use std::{borrow::Cow, fmt};

use serde_json::{Map, Value};

use crate::clock::Timestamp;

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
    /// The id, which becomes the token's `sub`. A store makes ids of its own.
    pub id: String,
    /// The name to show.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// When the address was proved to be the user's; `None` if it never was.
    pub email_verified: Option<Timestamp>,
    /// The address of a picture.
    pub image: Option<String>,
    /// Whatever else the application knows; the `jwt` callback decides what of it goes into the token.
    pub extra: Map<String, Value>,
}

impl User {
    /// A user with this id and nothing else.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), name: None, email: None, email_verified: None, image: None, extra: Map::new() }
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

    /// Says when the e-mail address was proved to be the user's.
    #[must_use]
    pub fn email_verified(mut self, at: Timestamp) -> Self {
        self.email_verified = Some(at);
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

/// How a user signs in: the provider, and who they are there.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The provider's id.
    pub provider: String,
    /// What Auth.js calls its type: `oauth`, `oidc`, `email`, `credentials` or `webauthn`.
    pub kind: Cow<'static, str>,
    /// The user's id at the provider; for credentials the user's id.
    pub provider_account_id: String,
    /// What the provider gave to act for the user; nothing for most.
    pub tokens: ProviderTokens,
}

impl Account {
    /// The account `provider_account_id` of this provider, without tokens.
    ///
    /// ```
    /// let account = portcullis::Account::new("oauth", "github", "583231");
    /// assert_eq!(account.provider_account_id, "583231");
    /// ```
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        provider: impl Into<String>,
        provider_account_id: impl Into<String>,
    ) -> Self {
        Self {
            provider: provider.into(),
            kind: kind.into(),
            provider_account_id: provider_account_id.into(),
            tokens: ProviderTokens::default(),
        }
    }

    pub(crate) fn credentials(provider: &str, user: &User) -> Self {
        Self::new("credentials", provider, user.id.as_str())
    }

    pub(crate) fn is(&self, provider: &str, id: &str) -> bool {
        (&*self.provider, &*self.provider_account_id) == (provider, id)
    }
}

/// Without the tokens, and without who it is.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("provider", &self.provider)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a provider gives to act for a user (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderTokens {
    /// For requests to the provider.
    pub access_token: Option<String>,
    /// For a new access token.
    pub refresh_token: Option<String>,
    /// Who the user is, signed.
    pub id_token: Option<String>,
    /// When the access token is over, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// How the access token is used, such as `bearer`.
    pub token_type: Option<String>,
    /// What it may be used for.
    pub scope: Option<String>,
    /// The state of the user's session at the provider (OpenID Connect Session Management).
    pub session_state: Option<String>,
    /// What else the provider has given. Callbacks see it; stores do not keep it.
    pub extra: Map<String, Value>,
}

impl ProviderTokens {
    /// What a provider does not give anew stays as it was (RFC 6749 section 6).
    pub(crate) fn or_kept(self, before: &Self) -> Self {
        Self {
            refresh_token: self.refresh_token.or_else(|| before.refresh_token.clone()),
            id_token: self.id_token.or_else(|| before.id_token.clone()),
            scope: self.scope.or_else(|| before.scope.clone()),
            session_state: self.session_state.or_else(|| before.session_state.clone()),
            ..self
        }
    }

    /// Whether a provider that has given these has not given others since.
    pub(crate) fn are_those_of(&self, other: &Self) -> bool {
        (&self.access_token, &self.refresh_token) == (&other.access_token, &other.refresh_token)
    }
}

/// Which there are, and none of them.
impl fmt::Debug for ProviderTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderTokens")
            .field("access_token", &self.access_token.is_some())
            .field("refresh_token", &self.refresh_token.is_some())
            .field("id_token", &self.id_token.is_some())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
