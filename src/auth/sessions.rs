//! The life of a session: shown, renewed, started, ended. The layer, the endpoints and the handle that
//! handlers get all come here.

use super::Auth;
use crate::{
    callbacks::{Event, Failed, JwtContext, SessionContext, Trigger},
    clock::Timestamp,
    cookie::{CookieHeaders, SetCookie},
    session::{Claims, Present, Registered, SealedSession, Session, UserClaims},
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
}

/// What a sign-in came to.
#[derive(Debug)]
pub(crate) enum Started {
    /// A session, and the cookies that carry it.
    Session(Vec<SetCookie>),
    /// The `jwt` callback wants none: the removal of what the browser had.
    Nothing(Vec<SetCookie>),
}

/// A session that was renewed: what is shown, what is sealed, and the cookies that carry it.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) session: Session,
    pub(crate) token: Claims,
    pub(crate) cookies: Vec<SetCookie>,
}

impl Visit {
    pub(crate) fn new(auth: &Auth, cookies: &CookieHeaders<'_>, https: bool, now: Timestamp) -> Self {
        let carried = auth.settings.strategy.carried(cookies, https);
        Self { now, https, present: Present::of(&carried), bearer: false }
    }
}

impl Auth {
    /// What a session shows before the `session` callback.
    pub(crate) fn session_of(&self, json: &[u8], expires: Timestamp) -> Option<Session> {
        Some(Claims::read_as::<UserClaims>(json).ok()?.into_session(self.settings.rules, expires))
    }

    /// What a session shows when it is read and not renewed.
    pub(crate) async fn show(&self, sealed: &SealedSession, now: Timestamp) -> Result<Session, Failed> {
        let expires = sealed.registered.expires.unwrap_or(now);
        let session = self.session_of(&sealed.json, expires).ok_or(Failed::Broken)?;
        let token = Claims::from_json(&sealed.json).ok_or(Failed::Broken)?;
        self.shown(SessionContext { session, token, trigger: None }).await
    }

    /// Asks the `session` callback, which may change what is shown and not whom it is about.
    async fn shown(&self, context: SessionContext) -> Result<Session, Failed> {
        let subject = context.session.subject().to_owned();
        let session = self.settings.callbacks.session(context).await?;
        if session.subject() != subject {
            tracing::error!("the session callback returned the session of somebody else; it is refused");
            return Err(Failed::Broken);
        }
        Ok(session)
    }

    /// Gives a session new times and a new token, after the callbacks have seen it. `None` if the `jwt`
    /// callback ended it.
    ///
    /// `update` is what the client sent with `update()`.
    pub(crate) async fn renew(
        &self,
        sealed: &SealedSession,
        update: Option<Option<serde_json::Value>>,
        visit: &Visit,
    ) -> Result<Option<Renewal>, Failed> {
        let before = Claims::from_json(&sealed.json).ok_or(Failed::Broken)?;
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
        let (text, expires) = self.seal(&mut token, Some(&sealed.registered), visit)?;
        let shown =
            if self.settings.rules.session_from_callback { token.to_json() } else { sealed.json.clone() };
        let session = self.session_of(&shown, expires).ok_or(Failed::Broken)?;
        let session = self.shown(SessionContext { session, token: token.clone(), trigger }).await?;
        let cookies = self.settings.strategy.cookies(&text, expires, &visit.present, visit.https, visit.now);
        Ok(Some(Renewal { session, token, cookies }))
    }

    /// Whether a session is over: expired, or ended by the `jwt` callback. A callback that fails ends nothing.
    pub(crate) async fn is_ended(&self, sealed: &SealedSession) -> bool {
        if self.settings.strategy.end(&sealed.registered).is_none_or(|end| end <= self.now()) {
            return true;
        }
        if self.settings.callbacks.jwt.is_none() {
            return false;
        }
        let Some(claims) = Claims::from_json(&sealed.json) else { return true };
        matches!(self.settings.callbacks.jwt(JwtContext::watch(claims)).await, Ok(None))
    }

    /// Starts a session with a new token, whatever the browser had before. Without cookies if the `jwt`
    /// callback wants none.
    pub(crate) async fn start(&self, user: User, account: Account, visit: &Visit) -> Result<Started, Failed> {
        let mut token = Claims::default();
        for (name, value) in [("name", &user.name), ("email", &user.email), ("picture", &user.image)] {
            if let Some(value) = value {
                token.insert(name, value.as_str());
            }
        }
        token.insert("sub", user.id.as_str());
        let context = JwtContext {
            token,
            user: Some(user.clone()),
            account: Some(account.clone()),
            trigger: Some(Trigger::SignIn),
            session: None,
        };
        let Some(mut token) = self.settings.callbacks.jwt(context).await? else {
            return Ok(Started::Nothing(self.settings.strategy.clear(
                &visit.present,
                visit.https,
                visit.now,
            )));
        };
        if token.subject().as_deref() != Some(user.id.as_str()) {
            tracing::error!("the jwt callback changed `sub` at a sign-in; the sign-in is refused");
            return Err(Failed::Broken);
        }
        let (text, expires) = self.seal(&mut token, None, visit)?;
        self.settings.callbacks.emit(Event::SignIn { user, account }).await;
        Ok(Started::Session(self.settings.strategy.cookies(
            &text,
            expires,
            &visit.present,
            visit.https,
            visit.now,
        )))
    }

    /// Ends the session of the request: tells the application and removes the cookies.
    pub(crate) async fn end(&self, sealed: Option<&SealedSession>, visit: &Visit) -> Vec<SetCookie> {
        if let Some(token) = sealed.and_then(|sealed| Claims::from_json(&sealed.json)) {
            self.settings.callbacks.emit(Event::SignOut { token }).await;
        }
        self.settings.strategy.clear(&visit.present, visit.https, visit.now)
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
