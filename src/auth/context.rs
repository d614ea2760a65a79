//! What one request knows about its user, and the handle with which a handler changes that.

use std::{
    borrow::Cow,
    error::Error as StdError,
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Auth, NotStarted, SessionWatch, SignIn, Started, Visit};
use crate::{
    callbacks::{Failed, SignInContext, SignInDecision},
    cookie::SetCookie,
    error::{SessionError, SessionErrorKind},
    head::Head,
    session::{Claims, LiveSession, Session},
    store::StoreError,
    user::{Account, User},
};

/// The handle of one request: who is signed in, and `sign_in`, `sign_out` and `update` for handlers that do
/// it themselves. The layer appends the cookies to the handler's response.
///
/// Get one as an extractor (feature `axum`) or with [`get_auth_context`](crate::get_auth_context).
///
/// ```
/// use portcullis::{AuthContext, SignInError, User};
///
/// async fn after_my_own_login_form(auth: AuthContext, user: User) -> Result<&'static str, SignInError> {
///     auth.sign_in(user).await?;
///     Ok("welcome")
/// }
/// # let _ = after_my_own_login_form;
/// ```
#[derive(Clone)]
pub struct AuthContext(Arc<Inner>);

struct Inner {
    auth: Auth,
    visit: Visit,
    resolved: Resolved,
    /// A handler or a guard has looked at the session, so the response depends on it.
    consulted: AtomicBool,
    /// Its answer came from `Authorization`, or would have.
    consulted_bearer: AtomicBool,
    /// A handler has signed in or out: what the request came with no longer counts.
    decided: AtomicBool,
    changes: Mutex<Vec<SetCookie>>,
}

/// Who the cookies say is here.
#[derive(Debug)]
pub(crate) enum Resolved {
    Anonymous,
    SignedIn {
        live: LiveSession,
        /// What the callbacks made of it, if there are any.
        shown: Option<Box<Session>>,
    },
    /// It cannot be known now.
    Unavailable,
    /// A callback failed about this session.
    Broken(LiveSession),
}

impl AuthContext {
    pub(crate) fn new(auth: Auth, visit: Visit, resolved: Resolved, changes: Vec<SetCookie>) -> Self {
        Self(Arc::new(Inner {
            auth,
            visit,
            resolved,
            consulted: AtomicBool::new(false),
            consulted_bearer: AtomicBool::new(false),
            decided: AtomicBool::new(false),
            changes: Mutex::new(changes),
        }))
    }

    pub(crate) fn anonymous(auth: Auth, request: Head<'_>) -> Self {
        let (now, https) = (auth.now(), auth.is_https(request));
        let visit = Visit::new(&auth, request, https, now);
        Self::new(auth, visit, Resolved::Anonymous, Vec::new())
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    /// The session as clients see it; `None` if nobody is signed in.
    ///
    /// # Errors
    ///
    /// When a callback failed, or the user is not a `U`.
    pub fn session<U: DeserializeOwned + 'static>(&self) -> Result<Option<Session<U>>, SessionError> {
        match self.plain_session()? {
            Some(session) => session.typed().map(Some),
            None => Ok(None),
        }
    }

    /// The session with the user as Auth.js has it.
    pub(crate) fn plain_session(&self) -> Result<Option<Session>, SessionError> {
        self.consult();
        match &self.0.resolved {
            Resolved::Anonymous => Ok(None),
            Resolved::Unavailable => Err(SessionError::new(SessionErrorKind::Unavailable)),
            Resolved::Broken(_) => Err(SessionError::new(SessionErrorKind::Callback)),
            Resolved::SignedIn { shown: Some(session), .. } => Ok(Some(Session::clone(session))),
            Resolved::SignedIn { live, shown: None } => {
                let expires = live.registered.expires.unwrap_or(self.0.visit.now);
                let session = self.0.auth.session_of(live, expires);
                session.map(Some).ok_or(SessionError::new(SessionErrorKind::Shape))
            }
        }
    }

    /// The decoded token of the session; `None` if nobody is signed in, or the session lives in a store and there
    /// is no token to decode (as `getToken` of Auth.js has it). `C` is [`Claims`] or a type of one's own.
    ///
    /// # Errors
    ///
    /// When a callback failed, or the claims are not a `C`.
    pub fn token<C: DeserializeOwned>(&self) -> Result<Option<Token<C>>, SessionError> {
        let live = self.live()?.filter(|live| live.stored().is_none());
        live.map(|live| Token::from_json(live.claims_json())).transpose()
    }

    /// What guards judge: the claims of the token, or what the row of the user would be as one.
    pub(crate) fn claims<C: DeserializeOwned>(&self) -> Result<Option<Token<C>>, SessionError> {
        self.live()?.map(|live| Token::from_json(live.claims_json())).transpose()
    }

    /// The session that the request came with; `None` if nobody is signed in.
    pub(super) fn live(&self) -> Result<Option<&LiveSession>, SessionError> {
        self.consult();
        match &self.0.resolved {
            Resolved::Anonymous => Ok(None),
            Resolved::Unavailable => Err(SessionError::new(SessionErrorKind::Unavailable)),
            Resolved::Broken(_) => Err(SessionError::new(SessionErrorKind::Callback)),
            Resolved::SignedIn { live, .. } => Ok(Some(live)),
        }
    }

    /// The same, where a handler may change it.
    pub(super) fn changeable(&self) -> Result<Option<&LiveSession>, SessionError> {
        match self.live()? {
            _ if self.0.decided.load(Ordering::Relaxed) => Ok(None),
            Some(_) if self.is_bearer() || !self.writes() => {
                Err(SessionError::new(SessionErrorKind::ReadOnly))
            }
            live => Ok(live),
        }
    }

    pub(super) fn visit(&self) -> &Visit {
        &self.0.visit
    }

    /// Signs `user` in: asks the `sign_in` and `jwt` callbacks, then sends a new token with the response.
    ///
    /// The callbacks see an account of the provider `credentials`. Neither the password nor the CSRF token nor
    /// the origin of the request is checked here; the endpoints do that. Protect a form of your own
    /// (`tower_http::csrf::CsrfLayer`), or post it to `/api/auth/callback/credentials`.
    ///
    /// This request stays what it was: [`session`](Self::session) still says who came; the next request has
    /// the new session.
    ///
    /// # Errors
    ///
    /// When a callback refuses or fails, the `jwt` callback wants no session, the store fails, or this is a
    /// verifier; nothing changes then.
    pub async fn sign_in(&self, user: User) -> Result<(), SignInError> {
        let account = Account::credentials("credentials", &user);
        self.sign_in_with(user, account).await
    }

    /// Signs in whoever has `account` at a provider that the application speaks to itself; `user` is what that
    /// provider says of them. With a store this goes by the rules of accounts (`docs/protocol.md` section 11):
    /// the user who has the account, or else a new one; the user who has the e-mail address only if the
    /// [`LinkingPolicy`](crate::LinkingPolicy) lets them. Otherwise as [`sign_in`](Self::sign_in).
    ///
    /// What a new user's `extra` holds is kept in the store, and guards judge it: put only what the application
    /// vouches for there, and not the provider's profile as it came.
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in); and when another user has the e-mail address.
    pub async fn sign_in_with(&self, user: User, account: Account) -> Result<(), SignInError> {
        if !self.writes() {
            return Err(SignInError::failed());
        }
        let context = SignInContext::new(user.clone(), account.clone());
        match self.0.auth.settings.callbacks.sign_in(context).await {
            Ok(SignInDecision::Allow) => {}
            Ok(SignInDecision::Deny) | Err(_) => return Err(SignInError::denied()),
            Ok(SignInDecision::Redirect(to)) => {
                return Err(SignInError { reason: Reason::Denied { redirect: Some(to) } });
            }
        }
        // They would have to be ended, and cannot be.
        let Some(before) = self.all_sessions().await else {
            return Err(SignInError { reason: Reason::Unavailable });
        };
        let started = self.0.auth.start(SignIn::new(user, account), &before, &self.0.visit).await?;
        let Started::Session { cookies, .. } = started else { return Err(SignInError::denied()) };
        self.decide(cookies);
        Ok(())
    }

    /// Signs out: ends the session where that is known, and removes its cookies with the response. If the request
    /// has several session cookies, all that they open is ended, as `POST /signout` does. Does nothing at a verifier, nor
    /// about a session that came in `Authorization`, which has none.
    ///
    /// The session at a provider goes on, also with `OAuth::federated_logout`: only `POST /signout` leads the browser
    /// there.
    ///
    /// # Errors
    ///
    /// When the store fails: what could not be ended goes on then, and the cookies stay.
    pub async fn sign_out(&self) -> Result<(), SessionError> {
        if self.is_bearer() || !self.writes() {
            return Ok(());
        }
        let Some(sessions) = self.all_sessions().await else {
            return Err(SessionError::new(SessionErrorKind::Unavailable));
        };
        let cookies = self.0.auth.end(&sessions, &self.0.visit).await?;
        self.decide(cookies);
        Ok(())
    }

    /// Every session that the request's cookies open: whoever sends them can end them. `None` if that cannot be known.
    async fn all_sessions(&self) -> Option<Vec<Cow<'_, LiveSession>>> {
        let Visit { present, https, now, .. } = &self.0.visit;
        if let Some(tokens) = present.several() {
            let all = self.0.auth.settings.strategy.read_all(tokens, *https, *now).await?;
            return Some(all.into_iter().map(Cow::Owned).collect());
        }
        match &self.0.resolved {
            Resolved::SignedIn { live, .. } | Resolved::Broken(live) if !self.is_bearer() => {
                Some(vec![Cow::Borrowed(live)])
            }
            Resolved::Unavailable => None,
            _ => Some(Vec::new()),
        }
    }

    /// Renews the session, giving `data` to the `jwt` callback with [`Trigger::Update`](crate::Trigger::Update); to
    /// the `session` callback where sessions live in a store.
    /// Answers the new session; `None` if nobody is signed in, the callback ended the session, or a handler of
    /// this request has signed in or out already.
    ///
    /// # Errors
    ///
    /// When a callback fails, or the session cannot be changed here (a verifier, or a session that came in
    /// `Authorization`); nothing changes then.
    pub async fn update(&self, data: impl Into<Value>) -> Result<Option<Session>, SessionError> {
        let Some(live) = self.changeable()? else { return Ok(None) };
        match self.0.auth.renew(live, Some(Some(data.into())), &self.0.visit).await {
            Ok(Some(renewal)) => {
                self.change(renewal.cookies);
                Ok(Some(renewal.session))
            }
            Ok(None) => {
                self.decide(self.0.auth.clear(&self.0.visit));
                Ok(None)
            }
            Err(_) => Err(SessionError::new(SessionErrorKind::Callback)),
        }
    }

    /// A watch over the session that this request came with; `None` if nobody is signed in. `bound` is how
    /// late an end may be noticed: each watch asks the clock and the `jwt` callback that often.
    ///
    /// # Errors
    ///
    /// When a callback failed.
    pub fn watch(&self, bound: Duration) -> Result<Option<SessionWatch>, SessionError> {
        Ok(self.live()?.map(|_| SessionWatch::new(self.clone(), bound)))
    }

    /// How long the session of this request goes on, if nothing happens; `None` once it has ended.
    pub(super) async fn time_left(&self) -> Option<Duration> {
        let Resolved::SignedIn { live, .. } = &self.0.resolved else { return None };
        let end = self.0.auth.end_of(live).await?;
        Some(end.since(self.0.auth.now()))
    }

    /// The cookies that the response has to carry; they are handed out once.
    pub(crate) fn take_changes(&self) -> Vec<SetCookie> {
        std::mem::take(&mut *self.0.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_consulted(&self) -> bool {
        self.0.consulted.load(Ordering::Relaxed)
    }

    pub(crate) fn is_bearer_consulted(&self) -> bool {
        self.0.consulted_bearer.load(Ordering::Relaxed)
    }

    pub(crate) fn consult_bearer(&self) {
        self.0.consulted_bearer.store(true, Ordering::Relaxed);
    }

    /// The session came in `Authorization`.
    pub(crate) fn is_bearer(&self) -> bool {
        self.0.visit.bearer
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.visit.https
    }

    pub(crate) fn consult(&self) {
        self.0.consulted.store(true, Ordering::Relaxed);
        if self.0.visit.bearer {
            self.consult_bearer();
        }
    }

    /// Whether this service signs people in and out; says so in the log if not.
    pub(super) fn writes(&self) -> bool {
        let writes = self.0.auth.settings.site.is_some();
        if !writes {
            tracing::error!("a verifier signs nobody in or out: make the Auth with Auth::builder for that");
        }
        writes
    }

    /// A change after which the session that the request came with is not renewed any more.
    pub(super) fn decide(&self, cookies: Vec<SetCookie>) {
        self.0.decided.store(true, Ordering::Relaxed);
        self.change(cookies);
    }

    /// The latest change wins: what was queued before is dropped.
    pub(super) fn change(&self, cookies: Vec<SetCookie>) {
        *self.0.changes.lock().unwrap_or_else(PoisonError::into_inner) = cookies;
    }
}

impl fmt::Debug for AuthContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.resolved {
            Resolved::Anonymous => "AuthContext(anonymous)",
            Resolved::SignedIn { .. } => "AuthContext(signed in)",
            Resolved::Unavailable | Resolved::Broken(_) => "AuthContext(failed)",
        })
    }
}

/// The decoded token of a request, as `getToken` of Auth.js gives it (`docs/protocol.md` section 16): from the
/// session cookie, or else from `Authorization: Bearer`.
///
/// `C` is the application's own type for the claims.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Token<C = Claims> {
    /// What the token holds.
    pub claims: C,
}

impl<C: DeserializeOwned> Token<C> {
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, SessionError> {
        Claims::read_as(json).map(|claims| Self { claims }).map_err(|error| {
            // Not the error itself: it quotes the value.
            tracing::error!(kind = ?error.classify(), line = error.line(), column = error.column(), "the token's claims do not fit the type that the handler asks for");
            SessionError::new(SessionErrorKind::Shape)
        })
    }
}

impl<C> Deref for Token<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.claims
    }
}

/// Why [`AuthContext::sign_in`] signed nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInError {
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Denied { redirect: Option<String> },
    NotLinked,
    NotSignedIn,
    NoStore,
    Unavailable,
    Failed,
}

impl SignInError {
    fn denied() -> Self {
        Self { reason: Reason::Denied { redirect: None } }
    }

    fn failed() -> Self {
        Self { reason: Reason::Failed }
    }

    pub(super) fn not_signed_in() -> Self {
        Self { reason: Reason::NotSignedIn }
    }

    /// The `sign_in` callback refused or failed, or the `jwt` callback wants no session.
    pub fn is_denied(&self) -> bool {
        matches!(self.reason, Reason::Denied { .. })
    }

    /// Another user has the account, or its e-mail address: `OAuthAccountNotLinked` of Auth.js.
    pub fn is_not_linked(&self) -> bool {
        self.reason == Reason::NotLinked
    }

    /// The store failed; trying again may help.
    pub fn is_unavailable(&self) -> bool {
        self.reason == Reason::Unavailable
    }

    /// Where the `sign_in` callback wants the browser to go instead.
    pub fn redirect(&self) -> Option<&str> {
        match &self.reason {
            Reason::Denied { redirect } => redirect.as_deref(),
            _ => None,
        }
    }
}

impl From<NotStarted> for SignInError {
    fn from(reason: NotStarted) -> Self {
        let reason = match reason {
            NotStarted::Failed => Reason::Failed,
            NotStarted::NotLinked => Reason::NotLinked,
            NotStarted::NoStore => Reason::NoStore,
            NotStarted::Unavailable | NotStarted::NotCreated => Reason::Unavailable,
        };
        Self { reason }
    }
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::Denied { .. } => "the sign-in was refused",
            Reason::NotSignedIn => "nobody is signed in",
            Reason::NoStore => "there is no store for accounts: add `.store(..)` to the Auth",
            Reason::NotLinked => "another user has this account or its e-mail address",
            Reason::Unavailable => "the store is unavailable",
            Reason::Failed => "a callback failed during the sign-in",
        })
    }
}

impl StdError for SignInError {}

impl From<SessionError> for SignInError {
    fn from(error: SessionError) -> Self {
        let unavailable = error.kind() == SessionErrorKind::Unavailable;
        Self { reason: if unavailable { Reason::Unavailable } else { Reason::Failed } }
    }
}

impl From<StoreError> for SessionError {
    fn from(_: StoreError) -> Self {
        Self::new(SessionErrorKind::Unavailable)
    }
}

impl From<Failed> for SessionErrorKind {
    fn from(_: Failed) -> Self {
        Self::Callback
    }
}
