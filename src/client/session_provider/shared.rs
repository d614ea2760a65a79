//! When the session is read, and what becomes of the answer.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};

use super::{Options, SessionState, SessionStatus};
use crate::{
    client::{Client, ClientError, Session, SignIn, SignInOptions, SignOutOptions, jar::Turn, sign_in},
    clock::Timestamp,
};

/// Between two reads of a session because it has ended, however short those are that the server gives.
const PAUSE: Duration = Duration::from_secs(1);

/// Providers have numbers, by which they know what they have said themselves.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What the clones of a provider share.
pub(super) struct Shared<U> {
    pub(super) client: Client<U>,
    pub(super) options: Options,
    pub(super) state: watch::Sender<SessionState<U>>,
    /// Says that the driver has to look again what is due.
    pub(super) changed: Arc<Notify>,
    pub(super) number: u64,
    /// Whoever holds it asks the server.
    turn: AsyncMutex<()>,
    progress: Mutex<Progress>,
}

struct Progress {
    online: bool,
    /// Whether the server has said who is signed in, or the application has.
    known: bool,
    /// When it was asked last.
    asked: Option<Timestamp>,
    /// How many answers there were.
    answers: u64,
    /// The end of a session that the server has told when that was over already.
    ended: Option<Timestamp>,
    /// Whether nobody is signed in for certain, so that whoever requires somebody has been called.
    nobody: bool,
}

/// Why the session is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The provider begins.
    Start,
    /// The application says so.
    Asked,
    /// The user has come back.
    Event,
    /// The interval, or the session, has ended.
    Time,
    /// Somebody else over the same jar has read it, or signed in.
    Announcement,
    /// The user has signed out in this turn of the jar, here or elsewhere.
    SignOut(Turn),
}

impl Cause {
    /// Whether it is news, of which an answer that was on its way knows nothing.
    pub(super) fn is_news(self) -> bool {
        matches!(self, Self::Announcement | Self::SignOut(_))
    }
}

impl<U: DeserializeOwned + Send + Sync + 'static> Shared<U> {
    pub(super) fn new(client: Client<U>, options: Options, initial: Option<Option<Session<U>>>) -> Self {
        let now = client.server().now();
        let progress = Progress {
            online: true,
            known: initial.is_some(),
            asked: initial.is_some().then_some(now),
            answers: 0,
            ended: None,
            nobody: false,
        };
        let shared = Self {
            client,
            options,
            state: watch::Sender::new(SessionState::loading()),
            changed: Arc::default(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            turn: AsyncMutex::default(),
            progress: Mutex::new(progress),
        };
        if let Some(session) = initial {
            shared.show(session.map(Arc::new));
        }
        shared
    }

    /// Reads the session, if this is a reason to. Who asks while that is done already waits for its answer.
    pub(super) async fn refetch(&self, cause: Cause) {
        if !self.is_reason(cause) {
            return;
        }
        let seen = self.progress().answers;
        let _turn = self.turn.lock().await;
        // What was read before somebody else signed out says nothing of what is now.
        if !cause.is_news() && self.progress().answers != seen {
            return;
        }
        // Also if the server does not answer any more. Somebody may have signed in since.
        if let Cause::SignOut(turn) = cause
            && turn == self.client.jar().turn()
        {
            self.settle(Ok(None));
        }
        self.progress().asked = Some(self.now());
        let by = (!cause.is_news()).then_some(Some(self.number));
        let answer = self.client.get_session_as(by).await;
        self.settle(answer);
    }

    pub(super) async fn update(&self, data: Option<Value>) -> Result<Option<Arc<Session<U>>>, ClientError> {
        let is_known = self.state.borrow().data.is_some();
        if self.client.server().rules().updates_known && !is_known {
            return Ok(None);
        }
        let _turn = self.turn.lock().await;
        let updated = self.client.update_as(data, Some(self.number)).await?.map(Arc::new);
        if let Some(session) = &updated {
            self.hear(Some(Arc::clone(session)));
        }
        Ok(updated)
    }

    pub(super) async fn sign_in(
        &self,
        provider: Option<&str>,
        options: SignInOptions,
        authorization_params: &[(&str, &str)],
    ) -> Result<SignIn, ClientError> {
        let by = Some(self.number);
        let outcome = sign_in::sign_in(&self.client, provider, options, authorization_params, by).await?;
        self.refetch(Cause::Announcement).await;
        Ok(outcome)
    }

    pub(super) async fn sign_out(&self, options: SignOutOptions) -> Result<String, ClientError> {
        let (url, turn) = self.client.sign_out_as(options, Some(self.number)).await?;
        self.refetch(Cause::SignOut(turn)).await;
        Ok(url)
    }

    pub(super) fn set_online(&self, online: bool) {
        self.progress().online = online;
        self.changed.notify_one();
    }

    /// In how long the driver has to do something by itself.
    pub(super) fn due(&self) -> Option<Duration> {
        let now = self.now();
        [self.interval_end(), self.session_due()].into_iter().flatten().min().map(|end| end.since(now))
    }

    /// When the interval ends, if there is one at present.
    fn interval_end(&self) -> Option<Timestamp> {
        let interval = self.options.refetch_interval?.max(self.options.client_max_age);
        let runs = self.options.refetch_when_offline || self.progress().online;
        let now = self.now();
        (runs && self.has_session()).then(|| self.asked(now).map_or(now, |asked| asked.plus(interval)))
    }

    /// When the session ends, unless it had ended when the server told it: its clock is the one that counts.
    fn session_end(&self) -> Option<Timestamp> {
        let end = self.state.borrow().data.as_ref()?.expires?;
        (self.progress().ended != Some(end)).then_some(end)
    }

    /// When it is asked whether it has ended.
    fn session_due(&self) -> Option<Timestamp> {
        let (end, has_answered) = (self.session_end()?, self.progress().answers > 0);
        let asked = self.asked(self.now()).filter(|_| has_answered); // Else the application has said what it is.
        Some(asked.map_or(end, |asked| end.max(asked.plus(PAUSE))))
    }

    /// When the server was asked last. A clock that was set back since does not know.
    fn asked(&self, now: Timestamp) -> Option<Timestamp> {
        self.progress().asked.filter(|asked| *asked <= now)
    }

    fn is_reason(&self, cause: Cause) -> bool {
        let now = self.now();
        let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        match cause {
            Cause::Asked | Cause::Announcement | Cause::SignOut(_) => true,
            Cause::Start => !self.progress().known,
            Cause::Event => !self.progress().known || self.has_session() && !self.is_new(now),
            Cause::Time => is_over(self.session_due()) || is_over(self.interval_end()),
        }
    }

    fn has_session(&self) -> bool {
        self.state.borrow().data.is_some()
    }

    fn is_new(&self, now: Timestamp) -> bool {
        self.asked(now).is_some_and(|asked| now < asked.plus(self.options.client_max_age))
    }

    fn settle(&self, answer: Result<Option<Session<U>>, ClientError>) {
        match answer {
            Ok(session) => {
                self.progress().known = true;
                self.hear(session.map(Arc::new));
            }
            Err(error) => {
                // By what the server has said itself it has ended: it is asked again as if nothing was known.
                let is_over = self.session_end().is_some_and(|end| end <= self.now());
                self.progress().known &= !is_over;
                let nobody = self.progress().nobody;
                self.state.send_modify(|state| {
                    let data = state.data.take().filter(|_| !is_over);
                    *state = SessionState { error: Some(error), ..self.state_of(data, nobody) };
                });
            }
        }
        self.progress().answers += 1;
        self.changed.notify_one();
    }

    /// Shows what the server has said. Where its clock and ours disagree, a session may be over by ours when it is told:
    /// that is no reason to ask again.
    fn hear(&self, session: Option<Arc<Session<U>>>) {
        let end = session.as_ref().and_then(|session| session.expires);
        self.progress().ended = end.filter(|end| *end <= self.now());
        self.show(session);
    }

    /// Shows what is known for certain, and calls whoever requires somebody when it turns out that there is nobody.
    fn show(&self, session: Option<Arc<Session<U>>>) {
        let nobody = session.is_none();
        let was_nobody = mem::replace(&mut self.progress().nobody, nobody);
        self.state.send_replace(self.state_of(session, nobody));
        if let Some(on_unauthenticated) = &self.options.on_unauthenticated
            && nobody
            && !was_nobody
        {
            let parameters = [("error", "SessionRequired"), ("callbackUrl", &self.client.inner.callback_url)];
            let page = sign_in::sign_in_page(self.client.server(), &parameters);
            // It is code of the application, and the provider goes on without it.
            if catch_unwind(AssertUnwindSafe(|| on_unauthenticated(&page))).is_err() {
                tracing::error!("what is called when nobody is signed in panicked: mend it");
            }
        }
        self.changed.notify_one();
    }

    /// The state with this session; `nobody`: it is certain that there is none.
    fn state_of(&self, session: Option<Arc<Session<U>>>, nobody: bool) -> SessionState<U> {
        let mut state = SessionState::of(session);
        if nobody && self.options.on_unauthenticated.is_some() {
            state.status = SessionStatus::Loading;
        }
        state
    }

    fn now(&self) -> Timestamp {
        self.client.server().now()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
