//! What callbacks and events are given.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    provider::Submitted,
    session::{Claims, Session},
    user::{Account, User},
};

/// For the `sign_in` callback: who is about to be signed in, and how.
#[derive(Clone)]
#[non_exhaustive]
pub struct SignInContext {
    /// The user as the provider gave it.
    pub user: User,
    /// The provider's account.
    pub account: Account,
    /// What the provider says of the user, as it came, for OAuth and OpenID Connect.
    pub profile: Option<Map<String, Value>>,
    /// What was typed into the form, for credentials.
    pub credentials: Option<Submitted>,
    /// Nobody has proved anything yet: somebody asks for a link by mail, which is sent if this is allowed. The
    /// callback is asked again when the link is opened.
    pub verification_request: bool,
}

impl SignInContext {
    pub(crate) fn new(user: User, account: Account) -> Self {
        Self { user, account, profile: None, credentials: None, verification_request: false }
    }
}

/// Without what the provider says of the user.
impl fmt::Debug for SignInContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInContext")
            .field("user", &self.user)
            .field("account", &self.account)
            .field("credentials", &self.credentials)
            .field("verification_request", &self.verification_request)
            .finish_non_exhaustive()
    }
}

/// The answer of the `sign_in` callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInDecision {
    /// Go on.
    Allow,
    /// Refuse: the error page says that access was denied.
    Deny,
    /// Refuse, and lead the browser there: a path of this site, or a URL. In v5 the `redirect` callback judges it, as it
    /// does in Auth.js, and by default leads to no other site.
    Redirect(String),
}

/// For the `redirect` callback: where somebody asks to be led.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedirectContext {
    /// What was asked for; from the request, so anything.
    pub url: String,
    /// This site's origin.
    pub base_url: String,
}

/// Why the `jwt` and `session` callbacks are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// A user has just signed in.
    SignIn,
    /// A user has just signed in for the first time.
    SignUp,
    /// The client called `update()`, or a handler did.
    Update,
    /// A [`SessionWatch`](crate::SessionWatch) asks whether the session goes on. `Ok(None)` ends it; a token is dropped,
    /// so do not spend anything here, such as a refresh token.
    Watch,
}

/// For the `jwt` callback: the token, and at a sign-in what it is made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct JwtContext {
    /// The claims so far. What the callback returns is sealed; `sub` cannot be changed.
    pub token: Claims,
    /// At a sign-in: the user.
    pub user: Option<User>,
    /// At a sign-in: the account.
    pub account: Option<Account>,
    /// At a sign-in by OAuth or OpenID Connect: what the provider says of the user, as it came.
    pub profile: Option<Map<String, Value>>,
    /// At a sign-in: whether the store has just made the user. `None` otherwise, and without a store.
    pub is_new_user: Option<bool>,
    /// What happened; `None` when the session is renewed without new data.
    pub trigger: Option<Trigger>,
    /// With [`Trigger::Update`]: what the client sent. It may be anything; take what you expect and nothing else.
    pub session: Option<Value>,
}

/// Without what the client sent.
impl fmt::Debug for JwtContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtContext")
            .field("token", &self.token)
            .field("user", &self.user)
            .field("trigger", &self.trigger)
            .finish_non_exhaustive()
    }
}

impl JwtContext {
    pub(crate) fn read(token: Claims) -> Self {
        Self {
            token,
            user: None,
            account: None,
            profile: None,
            is_new_user: None,
            trigger: None,
            session: None,
        }
    }

    pub(crate) fn watch(token: Claims) -> Self {
        Self { trigger: Some(Trigger::Watch), ..Self::read(token) }
    }

    pub(crate) fn update(token: Claims, session: Option<Value>) -> Self {
        Self { trigger: Some(Trigger::Update), session, ..Self::read(token) }
    }
}

/// For the `session` callback: what is about to be shown.
#[derive(Clone)]
#[non_exhaustive]
pub struct SessionContext {
    /// Name, e-mail address and picture of the user. What the callback returns is what clients see.
    pub session: Session,
    /// The token that it is made of; with sessions in a store, what the user's row would be as one.
    pub token: Claims,
    /// With sessions in a store: the user's row.
    pub user: Option<User>,
    /// With sessions in a store: what the application keeps with this one
    /// ([`AuthContext::change_data`](crate::AuthContext::change_data)).
    pub data: Map<String, Value>,
    /// [`Trigger::Update`] when the client called `update()`.
    pub trigger: Option<Trigger>,
    /// With [`Trigger::Update`], and sessions in a store: what the client sent. It may be anything; take what you
    /// expect and nothing else.
    pub new_session: Option<Value>,
}

impl SessionContext {
    /// For a session that lives in a token.
    pub(crate) fn of_token(session: Session, token: Claims, trigger: Option<Trigger>) -> Self {
        Self { session, token, user: None, data: Map::new(), trigger, new_session: None }
    }
}

/// Without what is kept with the session, and what the client sent.
impl fmt::Debug for SessionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionContext")
            .field("session", &self.session)
            .field("token", &self.token)
            .field("user", &self.user)
            .field("trigger", &self.trigger)
            .finish_non_exhaustive()
    }
}

/// Something that has happened.
#[derive(Clone)]
#[non_exhaustive]
pub enum Event {
    /// A user signed in.
    SignIn {
        /// Who.
        user: User,
        /// How.
        account: Account,
        /// What the provider says of the user, as it came, for OAuth and OpenID Connect.
        profile: Option<Map<String, Value>>,
        /// Whether the store has just made the user. `None` without a store.
        is_new_user: Option<bool>,
    },
    /// The store has made a user.
    CreateUser {
        /// Who, as they are stored.
        user: User,
    },
    /// The store has changed a user, such as at a proof of their e-mail address.
    UpdateUser {
        /// Who, as they are stored now.
        user: User,
    },
    /// The store has linked an account to a user.
    LinkAccount {
        /// Who.
        user: User,
        /// With which account they sign in from now on, too.
        account: Account,
    },
    /// A user signed out.
    SignOut {
        /// The token that the browser had.
        token: Claims,
    },
    /// A client read its session.
    Session {
        /// What it was shown.
        session: Session,
        /// The token behind it.
        token: Claims,
    },
    /// A provider does not take a refresh token any more, so it can be asked on behalf of this user only once they
    /// have signed in there again.
    ProviderTokenRefused {
        /// Whose.
        user_id: String,
        /// The provider's id.
        provider: String,
    },
    /// A sign-in was refused.
    SignInFailed {
        /// The provider's id.
        provider: String,
        /// The code that the client was told.
        error: &'static str,
    },
}

/// Without what the provider says of the user.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn { user, account, is_new_user, .. } => f
                .debug_struct("SignIn")
                .field("user", user)
                .field("account", account)
                .field("is_new_user", is_new_user)
                .finish_non_exhaustive(),
            Self::CreateUser { user } => f.debug_struct("CreateUser").field("user", user).finish(),
            Self::UpdateUser { user } => f.debug_struct("UpdateUser").field("user", user).finish(),
            Self::LinkAccount { user, account } => {
                f.debug_struct("LinkAccount").field("user", user).field("account", account).finish()
            }
            Self::SignOut { token } => f.debug_struct("SignOut").field("token", token).finish(),
            Self::Session { session, token } => {
                f.debug_struct("Session").field("session", session).field("token", token).finish()
            }
            Self::ProviderTokenRefused { user_id, provider } => f
                .debug_struct("ProviderTokenRefused")
                .field("user_id", user_id)
                .field("provider", provider)
                .finish(),
            Self::SignInFailed { provider, error } => {
                f.debug_struct("SignInFailed").field("provider", provider).field("error", error).finish()
            }
        }
    }
}
