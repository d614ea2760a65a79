//! The life of a session: shown, renewed, started, ended. The layer, the endpoints and the handle that
//! handlers get all come here.

use std::borrow::Borrow;

use serde_json::{Map, Value};

use super::{Auth, admission::Admission};
use crate::{
    account::NotAdmitted,
    callbacks::{Event, Failed, JwtContext, SessionContext, Trigger},
    clock::Timestamp,
    cookie::{CookieHeaders, SetCookie},
    error::{SessionError, SessionErrorKind},
    head::Head,
    provider::Provider,
    session::{
        Claims, Client, LiveSession, Present, Registered, Session, Upstream, session_id, session_of_claims,
    },
    store::{Revocation, Revoked, StoreError, Stores},
    user::{Account, User},
};

/// What of a request matters for its session.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) now: Timestamp,
    pub(crate) https: bool,
    pub(crate) present: Present,
    /// The session came in `Authorization`, so there is no cookie to renew.
    pub(crate) bearer: bool,
    /// Where it comes from, if the application records that.
    pub(crate) client: Option<Box<Client>>,
}

/// What a sign-in came to.
#[derive(Debug)]
pub(crate) enum Started {
    /// A session, and the cookies that carry it.
    Session { cookies: Vec<SetCookie>, is_new: bool },
    /// The `jwt` callback wants none: the removal of what the browser had.
    Nothing(Vec<SetCookie>),
}

/// Why a sign-in that was allowed began no session. Nothing has changed then; what there is to say is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotStarted {
    /// A callback, or the making of the token.
    Failed,
    /// Somebody else has the account, or its e-mail address.
    NotLinked,
    /// What was asked for needs a store, and there is none.
    NoStore,
    /// The store.
    Unavailable,
    /// The store, when a user was to be made.
    NotCreated,
}

/// Who has proved to be whom, and how.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) user: User,
    pub(crate) account: Account,
    /// What a provider says of them, as it came.
    pub(crate) profile: Option<Map<String, Value>>,
    /// The user who was signed in already, and asked for this account to be linked.
    pub(crate) link_to: Option<String>,
    /// The session at the provider, if signing out is to end both.
    pub(crate) upstream: Option<Upstream>,
}

impl SignIn {
    pub(crate) fn new(user: User, account: Account) -> Self {
        Self { user, account, profile: None, link_to: None, upstream: None }
    }
}

impl From<Failed> for NotStarted {
    fn from(_: Failed) -> Self {
        Self::Failed
    }
}

impl From<NotAdmitted> for NotStarted {
    fn from(reason: NotAdmitted) -> Self {
        match reason {
            NotAdmitted::NotLinked => {
                tracing::info!(
                    "a sign-in was refused: another user has this account or its e-mail address (see LinkingPolicy, and \
                     CredentialsUsers for forms of your own)"
                );
                Self::NotLinked
            }
            NotAdmitted::Unavailable => Self::Unavailable,
            NotAdmitted::NotCreated => Self::NotCreated,
        }
    }
}

impl From<StoreError> for NotStarted {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

impl From<NotStarted> for SessionError {
    fn from(reason: NotStarted) -> Self {
        Self::new(match reason {
            NotStarted::Unavailable | NotStarted::NotCreated => SessionErrorKind::Unavailable,
            NotStarted::NoStore => SessionErrorKind::NoStore,
            NotStarted::Failed | NotStarted::NotLinked => SessionErrorKind::Callback,
        })
    }
}

/// A session that was renewed: what is shown, what it is made of, when it ends now, and the cookies that carry it.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) session: Session,
    pub(crate) token: Claims,
    pub(crate) end: Timestamp,
    pub(crate) cookies: Vec<SetCookie>,
}

impl Visit {
    pub(crate) fn new(auth: &Auth, request: Head<'_>, https: bool, now: Timestamp) -> Self {
        let carried = auth.settings.strategy.carried(&CookieHeaders::of(request.headers), https);
        Self::of(auth, request, Present::of(&carried), https, now)
    }

    pub(crate) fn of(auth: &Auth, request: Head<'_>, present: Present, https: bool, now: Timestamp) -> Self {
        Self { now, https, present, bearer: false, client: auth.client(request) }
    }
}

impl Auth {
    fn client(&self, request: Head<'_>) -> Option<Box<Client>> {
        let describe = self.settings.describe_client.as_ref()?;
        Some(Box::new(describe(request.headers, request.extensions)))
    }

    /// What a session shows before the `session` callback.
    pub(crate) fn session_of(&self, live: &LiveSession, expires: Timestamp) -> Option<Session> {
        live.session(self.settings.rules, expires)
    }

    /// What a session shows when it is read and not renewed.
    pub(crate) async fn show(&self, live: &LiveSession, now: Timestamp) -> Result<Session, Failed> {
        let expires = live.registered.expires.unwrap_or(now);
        let session = self.session_of(live, expires).ok_or(Failed::Broken)?;
        let token = live.claims().ok_or(Failed::Broken)?;
        self.shown(live, SessionContext::of_token(session, token, None)).await
    }

    /// Asks the `session` callback, which may change what is shown and not whom it is about.
    async fn shown(&self, live: &LiveSession, mut context: SessionContext) -> Result<Session, Failed> {
        let subject = context.session.subject().to_owned();
        if self.settings.callbacks.session.is_some() {
            context.user = live.user().cloned();
            context.data = live.stored().map(|row| row.data.clone()).unwrap_or_default();
        }
        let session = self.settings.callbacks.session(context).await?;
        if session.subject() != subject {
            tracing::error!("the session callback returned the session of somebody else; it is refused");
            return Err(Failed::Broken);
        }
        Ok(session)
    }

    /// Gives a session new times after the callbacks have seen it: a new token, or a row that ends later if that
    /// is due. `None` if the `jwt` callback ended it.
    ///
    /// `update` is what the client sent with `update()`.
    pub(crate) async fn renew(
        &self,
        live: &LiveSession,
        update: Option<Option<Value>>,
        visit: &Visit,
    ) -> Result<Option<Renewal>, Failed> {
        match live.stored_token() {
            Some(token) => self.renew_row(live, token, update, visit).await.map(Some),
            None => self.renew_token(live, update, None, visit).await,
        }
    }

    /// `docs/protocol.md` section 10.2: the row is extended when that is due, the cookie is set each time.
    async fn renew_row(
        &self,
        live: &LiveSession,
        token: &str,
        update: Option<Option<Value>>,
        visit: &Visit,
    ) -> Result<Renewal, Failed> {
        let strategy = &self.settings.strategy;
        let (Some(row), Some(rows)) = (live.stored(), strategy.rows()) else { return Err(Failed::Broken) };
        // Before it is extended: that is what the wire shows.
        let session = self.session_of(live, row.expires).ok_or(Failed::Broken)?;
        let claims = live.claims().ok_or(Failed::Broken)?;
        let mut context =
            SessionContext::of_token(session, claims.clone(), update.is_some().then_some(Trigger::Update));
        context.new_session = update.flatten();
        let session = self.shown(live, context).await?;
        let end = rows.extend(row, strategy.lifetime(), visit.now).await;
        let begun = row.created.unwrap_or(visit.now);
        let cookie_end = strategy.lifetime().expiry(visit.now, begun);
        let cookies = strategy.cookies(token, cookie_end, &visit.present, visit.https, visit.now);
        Ok(Renewal { session, token: claims, end, cookies })
    }

    /// `kept_at` if all other sessions of the user have just been ended.
    pub(super) async fn renew_token(
        &self,
        live: &LiveSession,
        update: Option<Option<Value>>,
        kept_at: Option<Timestamp>,
        visit: &Visit,
    ) -> Result<Option<Renewal>, Failed> {
        let before = live.claims().ok_or(Failed::Broken)?;
        let trigger = update.is_some().then_some(Trigger::Update);
        let context = match update {
            Some(data) => JwtContext::update(before.clone(), data),
            None => JwtContext::read(before.clone()),
        };
        let Some(mut token) = self.settings.callbacks.jwt(context).await? else { return Ok(None) };
        if token.subject() != before.subject() {
            tracing::error!(
                "the jwt callback changed `sub`, which only a new sign-in may do; the session is refused"
            );
            return Err(Failed::Broken);
        }
        // Whatever the callback made of it: by this it is ended. A token that has none yet takes the id of the one
        // it replaces, so that all copies have the same.
        let kept = self.settings.strategy.revocations().is_some();
        match before.get("sid").cloned().or_else(|| kept.then(|| session_id(&before))?.map(Value::from)) {
            Some(sid) => token.insert("sid", sid),
            None => drop(token.remove("sid")),
        }
        Upstream::note(Upstream::of(before.members()).as_ref(), token.members_mut());
        token.set_unstored(before.is_unstored());
        let registered = Registered { kept_at: kept_at.or(live.registered.kept_at), ..live.registered };
        let (text, end) = self.seal(&mut token, Some(&registered), visit)?;
        let session = if self.settings.rules.session_from_callback {
            session_of_claims(&token.to_json(), self.settings.rules, end)
        } else {
            self.session_of(live, end)
        };
        let context = SessionContext::of_token(session.ok_or(Failed::Broken)?, token.clone(), trigger);
        let session = self.shown(live, context).await?;
        let cookies = self.settings.strategy.cookies(&text, end, &visit.present, visit.https, visit.now);
        Ok(Some(Renewal { session, token, end, cookies }))
    }

    /// A new token for the same session under another id; the old one is revoked where that is kept. `None` if the
    /// `jwt` callback ended it.
    pub(super) async fn replace_token(
        &self,
        live: &LiveSession,
        visit: &Visit,
    ) -> Result<Option<Vec<SetCookie>>, NotStarted> {
        match self.settings.strategy.counts_now(live).await {
            Some(true) => {}
            Some(false) => return Ok(None),
            None => return Err(NotStarted::Unavailable),
        }
        let mut claims = live.claims().ok_or(Failed::Broken)?;
        if self.settings.strategy.revocations().is_some() {
            claims.insert("sid", uuid::Uuid::new_v4().to_string());
        }
        let fresh = LiveSession::of_token(claims.to_json(), live.registered, false);
        let Some(renewal) = self.renew_token(&fresh, None, None, visit).await? else { return Ok(None) };
        self.end_session_of(live, visit.now).await?;
        Ok(Some(renewal.cookies))
    }

    /// When a session ends as it is known now; `None` if it is over: expired, ended in the store, or by the `jwt`
    /// callback. A fault ends nothing.
    pub(crate) async fn end_of(&self, live: &LiveSession) -> Option<Timestamp> {
        let (strategy, now) = (&self.settings.strategy, self.now());
        if let (Some(row), Some(rows)) = (live.stored(), strategy.rows()) {
            return match rows.look(row, strategy.lifetime(), now).await {
                Ok(found) => found.map(|found| found.session.expires),
                // It goes on for as long as it was known to.
                Err(_) => Some(row.expires).filter(|end| *end > now),
            };
        }
        let end = strategy.end(&live.registered).filter(|end| *end > now)?;
        if strategy.is_revoked(live, now).await {
            return None;
        }
        if self.settings.callbacks.jwt.is_some() {
            let claims = live.claims()?;
            if let Ok(None) = self.settings.callbacks.jwt(JwtContext::watch(claims)).await {
                return None;
            }
        }
        Some(end)
    }

    /// Starts a session with a new id, whatever the browser had before, which is ended.
    pub(crate) async fn start(
        &self,
        sign_in: SignIn,
        before: &[impl Borrow<LiveSession>],
        visit: &Visit,
    ) -> Result<Started, NotStarted> {
        let SignIn { user, account, profile, link_to, upstream } = sign_in;
        if account.provider_account_id.is_empty() {
            tracing::error!(
                provider = account.provider,
                "a provider gave no id of the user; the sign-in is refused"
            );
            return Err(NotStarted::Failed);
        }
        let upstream = upstream.or_else(|| self.begun_elsewhere(&account));
        let Admission { user, is_new } = self.admit(user, &account, link_to.as_deref(), visit.now).await?;
        let cookies = match self.settings.strategy.rows() {
            Some(rows) => {
                let end = self.settings.strategy.lifetime().expiry(visit.now, visit.now);
                let client = visit.client.as_deref().cloned().unwrap_or_default();
                let (token, session) =
                    rows.create(&user.id, client, upstream.as_ref(), end, visit.now).await?;
                if let Err(error) = self.end_sessions(before, visit.now).await {
                    // Nobody has the new one's cookie; without this row nobody ever could.
                    let _ = rows.end(&session.key).await;
                    return Err(error.into());
                }
                self.settings.strategy.cookies(&token, end, &visit.present, visit.https, visit.now)
            }
            None => match self.first_token(&user, &account, profile.as_ref(), is_new, upstream, visit).await?
            {
                Some((text, end)) => {
                    self.end_sessions(before, visit.now).await?;
                    self.settings.strategy.cookies(&text, end, &visit.present, visit.https, visit.now)
                }
                None => return Ok(Started::Nothing(self.clear(visit))),
            },
        };
        self.settings.callbacks.emit(Event::SignIn { user, account, profile, is_new_user: is_new }).await;
        Ok(Started::Session { cookies, is_new: is_new == Some(true) })
    }

    /// What is noted of a session that was begun without federated logout, where others have it: that it is none of those.
    fn begun_elsewhere(&self, account: &Account) -> Option<Upstream> {
        let providers = || self.settings.site.iter().flat_map(|site| &site.providers);
        if !providers().any(Provider::has_federated_logout) {
            return None;
        }
        // Unless the application itself has spoken to the provider.
        let is_of = providers().any(|known| known.has_federated_logout() && known.id() == account.provider);
        Some(Upstream {
            provider: account.provider.clone(),
            session: None,
            subject: is_of.then(|| account.provider_account_id.clone()),
        })
    }

    /// The token of a session that begins; `None` if the `jwt` callback wants none.
    async fn first_token(
        &self,
        user: &User,
        account: &Account,
        profile: Option<&Map<String, Value>>,
        is_new: Option<bool>,
        upstream: Option<Upstream>,
        visit: &Visit,
    ) -> Result<Option<(String, Timestamp)>, Failed> {
        let trigger = if is_new == Some(true) { Trigger::SignUp } else { Trigger::SignIn };
        let context = JwtContext {
            token: Claims::of_user(user),
            user: Some(user.clone()),
            account: Some(account.clone()),
            profile: profile.cloned(),
            is_new_user: is_new,
            trigger: Some(trigger),
            session: None,
        };
        let Some(mut token) = self.settings.callbacks.jwt(context).await? else { return Ok(None) };
        if token.subject().as_deref() != Some(user.id.as_str()) {
            tracing::error!("the jwt callback changed `sub` at a sign-in; the sign-in is refused");
            return Err(Failed::Broken);
        }
        if self.settings.strategy.revocations().is_some() {
            token.insert("sid", uuid::Uuid::new_v4().to_string());
        }
        Upstream::note(upstream.as_ref(), token.members_mut());
        token.set_unstored(self.settings.stores.is_some() && self.settings.stores_for(account).is_none());
        self.seal(&mut token, None, visit).map(Some)
    }

    /// Ends the sessions of the request, where they are known, tells the application, and removes the cookies.
    ///
    /// # Errors
    ///
    /// When the session could not be ended: then the cookies stay, so that it can be tried again.
    pub(crate) async fn end(
        &self,
        sessions: &[impl Borrow<LiveSession>],
        visit: &Visit,
    ) -> Result<Vec<SetCookie>, StoreError> {
        self.end_sessions(sessions, visit.now).await?;
        for token in sessions.iter().filter_map(|session| session.borrow().claims()) {
            self.settings.callbacks.emit(Event::SignOut { token }).await;
        }
        Ok(self.clear(visit))
    }

    /// The removal of the cookies.
    pub(crate) fn clear(&self, visit: &Visit) -> Vec<SetCookie> {
        self.settings.strategy.clear(&visit.present, visit.https, visit.now)
    }

    async fn end_sessions(
        &self,
        sessions: &[impl Borrow<LiveSession>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for session in sessions {
            self.end_session_of(session.borrow(), now).await?;
        }
        Ok(())
    }

    /// Ends a session on this side, so that a copy of its cookie opens nothing. A token without a list of
    /// revocations cannot be ended.
    async fn end_session_of(&self, live: &LiveSession, now: Timestamp) -> Result<(), StoreError> {
        let strategy = &self.settings.strategy;
        if let (Some(row), Some(rows)) = (live.stored(), strategy.rows()) {
            return rows.end(&row.key).await.map(drop);
        }
        let Some(revocations) = strategy.revocations() else { return Ok(()) };
        let claims = live.claims();
        let Some(id) = claims.as_ref().and_then(session_id) else {
            tracing::warn!("a token without `sid` and `jti` cannot be revoked: it goes on until it expires");
            return Ok(());
        };
        let revoked = Revoked::Session(id.to_owned());
        revocations.revoke(&Revocation::new(revoked, now, strategy.last_end(now))).await
    }

    /// The user of the store whose session it is, if they are one.
    pub(super) async fn user_of(
        &self,
        live: &LiveSession,
        stores: &Stores,
    ) -> Result<Option<User>, StoreError> {
        if let Some(user) = live.user() {
            return Ok(Some(user.clone()));
        }
        if live.is_unstored() {
            return Ok(None);
        }
        let claims = live.claims().unwrap_or_default();
        let Some(subject) = claims.subject() else { return Ok(None) };
        stores.ask(stores.users.user(&subject)).await
    }

    fn seal(
        &self,
        token: &mut Claims,
        before: Option<&Registered>,
        visit: &Visit,
    ) -> Result<(String, Timestamp), Failed> {
        self.settings.strategy.seal(token, before, visit.https, visit.now).map_err(|error| {
            tracing::error!(%error, "no session token could be made");
            Failed::Error(error.into())
        })
    }
}

/// Whose ids the `authorize` function of [`Credentials`](crate::Credentials), and
/// [`AuthContext::sign_in`](crate::AuthContext::sign_in), give where sessions live in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CredentialsUsers {
    /// Of a list of the application's own: each is an account of the provider `credentials`, for which the store
    /// has a user with another id, made at the first sign-in.
    #[default]
    Linked,
    /// Of the store itself: the application checks passwords against the same table of users.
    Stored,
}
