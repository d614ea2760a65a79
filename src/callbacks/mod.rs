//! What an application may decide and learn: the callbacks and events of Auth.js (`docs/protocol.md`
//! section 12).
//!
//! Each callback is an async function that is given an owned context. One that fails, panics or takes longer
//! than its time limit denies the sign-in or ends in an error; it never makes a session. Events are told
//! after the fact: what goes wrong in them is logged and changes nothing.

mod context;
mod guarded;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

pub use self::context::{
    Event, JwtContext, RedirectContext, SessionContext, SignInContext, SignInDecision, Trigger,
};
pub(crate) use self::guarded::Failed;
use self::guarded::guarded;
use crate::{
    clock::Clock,
    error::BoxError,
    mail::{Mail, Mailer},
    origin::Origin,
    session::{Claims, Session},
};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;
pub(crate) type Callback<C, T> = Arc<dyn Fn(C) -> BoxFuture<T> + Send + Sync>;

/// The callbacks of one application.
pub(crate) struct Callbacks {
    pub(crate) sign_in: Option<Callback<SignInContext, SignInDecision>>,
    pub(crate) redirect: Option<Callback<RedirectContext, String>>,
    pub(crate) jwt: Option<Callback<JwtContext, Option<Claims>>>,
    pub(crate) session: Option<Callback<SessionContext, Session>>,
    pub(crate) event: Option<Callback<Event, ()>>,
    pub(crate) time_limit: Duration,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Wraps an async function of the application.
pub(crate) fn boxed<C, T, F>(callback: impl Fn(C) -> F + Send + Sync + 'static) -> Callback<C, T>
where
    F: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    Arc::new(move |context| Box::pin(callback(context)))
}

impl Callbacks {
    /// None yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            sign_in: None,
            redirect: None,
            jwt: None,
            session: None,
            event: None,
            time_limit: Duration::from_secs(30),
            clock,
        }
    }

    /// Whether this user may sign in; yes without a callback.
    pub(crate) async fn sign_in(&self, context: SignInContext) -> Result<SignInDecision, Failed> {
        match &self.sign_in {
            Some(callback) => self.run("sign_in", callback, context).await,
            None => Ok(SignInDecision::Allow),
        }
    }

    /// Where `url` may lead. Without a callback: to this origin and nowhere else. A callback that fails, and
    /// text that is no URL, lead to the origin (`docs/protocol.md` section 5.3).
    pub(crate) async fn redirect(&self, url: &str, origin: &Origin) -> String {
        let allowed = match &self.redirect {
            Some(callback) => {
                let context = RedirectContext { url: url.to_owned(), base_url: origin.as_str().to_owned() };
                self.run("redirect", callback, context).await.ok()
            }
            None => origin.allow(url),
        };
        allowed.unwrap_or_else(|| origin.as_str().to_owned())
    }

    /// What the token holds from now on; `None` ends the session.
    pub(crate) async fn jwt(&self, context: JwtContext) -> Result<Option<Claims>, Failed> {
        match &self.jwt {
            Some(callback) => self.run("jwt", callback, context).await,
            None => Ok(Some(context.token)),
        }
    }

    /// What clients and handlers see.
    pub(crate) async fn session(&self, context: SessionContext) -> Result<Session, Failed> {
        match &self.session {
            Some(callback) => self.run("session", callback, context).await,
            None => Ok(context.session),
        }
    }

    /// Tells the application. Its failure is logged and nothing else.
    pub(crate) async fn emit(&self, event: Event) {
        if let Some(callback) = &self.event {
            let _ = self.run("event", callback, event).await;
        }
    }

    /// Sends a mail.
    pub(crate) async fn send(&self, mailer: &Arc<dyn Mailer>, mail: Mail) -> Result<(), Failed> {
        let mailer = Arc::clone(mailer);
        let send = || -> BoxFuture<()> { Box::pin(async move { mailer.send(mail).await }) };
        guarded("send", &*self.clock, self.time_limit, send).await
    }

    /// Calls `authorize` or a callback under the same rules as all of them.
    pub(crate) async fn run<C, T>(
        &self,
        name: &'static str,
        callback: &Callback<C, T>,
        context: C,
    ) -> Result<T, Failed> {
        guarded(name, &*self.clock, self.time_limit, || callback(context)).await
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("sign_in", &self.sign_in.is_some())
            .field("redirect", &self.redirect.is_some())
            .field("jwt", &self.jwt.is_some())
            .field("session", &self.session.is_some())
            .field("event", &self.event.is_some())
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
