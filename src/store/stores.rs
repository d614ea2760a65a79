use std::{error::Error as _, future::Future, sync::Arc, task::Poll, time::Duration};

use super::{
    Result, SessionAndUser, SessionKey, SessionStore, Store, StoreError, StoreErrorKind, UserStore,
    VerificationTokenStore,
};
use crate::clock::{Clock, within};

/// The stores of one application. Whoever asks one goes through [`ask`](Self::ask), so that none holds a request
/// for ever.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) tokens: Arc<dyn VerificationTokenStore>,
    main: Arc<dyn Store>,
    /// Sessions and users are in one place, and can be read together.
    is_joint: bool,
    time_limit: Duration,
    clock: Arc<dyn Clock>,
}

impl Stores {
    /// How long one call may take, unless the application says otherwise.
    pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(5);

    /// `sessions` if they are in another place than everything else.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        sessions: Option<Arc<dyn SessionStore>>,
        time_limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // The store itself as each of its ports: an `Arc` around it would box each future once more.
        Self {
            users: Arc::<dyn Store>::clone(&store),
            tokens: Arc::<dyn Store>::clone(&store),
            is_joint: sessions.is_none(),
            sessions: sessions.unwrap_or_else(|| Arc::<dyn Store>::clone(&store)),
            main: store,
            time_limit,
            clock,
        }
    }

    /// The answer of a store, or that it took too long.
    pub(crate) async fn ask<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        ask(&*self.clock, self.time_limit, call).await
    }

    /// Whether sessions have data.
    #[cfg(feature = "oauth")]
    pub(crate) fn keep_data(&self) -> bool {
        self.sessions.keeps_data()
    }

    /// What is missing in the tables, and what that costs.
    pub(crate) fn report(&self) -> Vec<String> {
        let mut lines = self.main.report();
        if !self.is_joint {
            lines.extend(self.sessions.report());
        }
        lines
    }

    /// A session and its user; `None` if either is missing.
    pub(crate) async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        if self.is_joint {
            return ask(&*self.clock, self.time_limit, (*self.main).session_and_user(key)).await;
        }
        // Boxed, so that those who ask one store do not carry the room for two.
        Box::pin(self.session_then_user(key)).await
    }

    /// The same, if the store knows it now.
    pub(crate) fn session_and_user_now(&self, key: &SessionKey) -> Poll<Option<SessionAndUser>> {
        if self.is_joint { self.main.session_and_user_now(key) } else { Poll::Pending }
    }

    async fn session_then_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        let Some(session) = self.ask((*self.sessions).recent_session(key)).await? else { return Ok(None) };
        let user = self.ask((*self.users).user(&session.user_id)).await?;
        Ok(user.map(|user| SessionAndUser { session, user: Arc::new(user) }))
    }
}

/// The answer of a store, or that it took too long. Faults are logged here and nowhere else; a conflict is an
/// answer, and for the caller to judge.
pub(crate) async fn ask<T>(
    clock: &dyn Clock,
    time_limit: Duration,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    let answer = within(clock, time_limit, call).await;
    let answer = answer.unwrap_or_else(|| Err(StoreError::unavailable("it took longer than the time limit")));
    answer.inspect_err(|error| {
        if error.kind() != StoreErrorKind::Conflict {
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(%error, cause, "a store failed");
        }
    })
}
