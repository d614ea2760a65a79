//! A provider with settings of its own.

use std::{fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::{Options, SessionProvider, driver::Driver, shared::Shared};
use crate::{
    client::{Client, Session},
    error::ConfigError,
    session::SessionUser,
};

/// How a [`SessionProvider`] behaves. Begun by [`SessionProvider::builder`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use portcullis::client::{Client, SessionProvider};
///
/// let provider = SessionProvider::builder(Client::new("https://app.example")?)
///     .refetch_interval(Duration::from_secs(5 * 60))
///     .refetch_when_offline(false)
///     .required(|sign_in_page| println!("sign in: {sign_in_page}"))
///     .start()?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct SessionProviderBuilder<U = SessionUser> {
    client: Client<U>,
    initial: Option<Option<Session<U>>>,
    options: Options,
}

impl<U: DeserializeOwned + Send + Sync + 'static> SessionProviderBuilder<U> {
    pub(super) fn new(client: Client<U>) -> Self {
        let options = Options {
            refetch_interval: None,
            refetch_on_focus: true,
            refetch_when_offline: true,
            client_max_age: Duration::ZERO,
            on_unauthenticated: None,
        };
        Self { client, initial: None, options }
    }

    /// `session`: what is known already, so that the server need not be asked at the start; `None` if nobody is signed
    /// in.
    pub fn session(mut self, session: impl Into<Option<Session<U>>>) -> Self {
        self.initial = Some(session.into());
        self
    }

    /// `refetchInterval`: how often the session is read again while there is one: never unless set.
    pub fn refetch_interval(mut self, interval: Duration) -> Self {
        self.options.refetch_interval = Some(interval).filter(|interval| !interval.is_zero());
        self
    }

    /// What v3 calls [`refetch_interval`](Self::refetch_interval).
    pub fn keep_alive(self, interval: Duration) -> Self {
        self.refetch_interval(interval)
    }

    /// `clientMaxAge` of v3: for how long a session that was read is new enough for
    /// [`focus`](SessionProvider::focus) and the interval.
    pub fn client_max_age(mut self, age: Duration) -> Self {
        self.options.client_max_age = age;
        self
    }

    /// `refetchOnWindowFocus`: whether [`focus`](SessionProvider::focus) reads the session again: yes unless set.
    pub fn refetch_on_focus(mut self, refetch: bool) -> Self {
        self.options.refetch_on_focus = refetch;
        self
    }

    /// `refetchWhenOffline`: whether the interval goes on while [`set_online`](SessionProvider::set_online) says that
    /// there is no network: yes unless set.
    pub fn refetch_when_offline(mut self, refetch: bool) -> Self {
        self.options.refetch_when_offline = refetch;
        self
    }

    /// `useSession({ required: true, onUnauthenticated })`: called with the URL of the sign-in page when it turns out that
    /// nobody is signed in: at the start, and each time that a session is over. The status is
    /// [`Loading`](super::SessionStatus::Loading) then, until somebody is.
    ///
    /// That the server cannot be asked is no reason to call it.
    pub fn required(mut self, on_unauthenticated: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.options.on_unauthenticated = Some(Box::new(on_unauthenticated));
        self
    }

    /// Starts: reads the session, unless it is known already, and follows it from then on.
    ///
    /// # Errors
    ///
    /// Outside a Tokio runtime.
    pub fn start(self) -> Result<SessionProvider<U>, ConfigError> {
        let runtime = Handle::try_current().map_err(|_| {
            ConfigError::one(
                "a session provider is started outside a Tokio runtime",
                "start it in an async function, such as a `main` with #[tokio::main]",
            )
        })?;
        let shared = Arc::new(Shared::new(self.client, self.options, self.initial));
        let driver = Arc::new(Driver::start(&runtime, &shared));
        Ok(SessionProvider { shared, driver })
    }
}

impl<U> fmt::Debug for SessionProviderBuilder<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionProviderBuilder").field("client", &self.client).finish_non_exhaustive()
    }
}
