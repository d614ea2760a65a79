//! One session, shared by a whole application: `SessionProvider` and `useSession` (`docs/protocol.md` section 15.5).

mod builder;
mod driver;
mod shared;
mod state;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

pub use self::{
    builder::SessionProviderBuilder,
    state::{SessionState, SessionStatus},
};
use self::{
    driver::Driver,
    shared::{Cause, Shared},
};
use super::{Client, ClientError, Session, SignIn, SignInOptions, SignOutOptions};
use crate::session::SessionUser;

/// The session of a [`Client`] as a value that an application watches: it says who is signed in, and goes on saying so
/// while that changes, by this program or by another one over the same jar.
///
/// Clones are the same provider. It ends with the last of them.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use portcullis::client::{Client, SessionProvider, SessionStatus};
///
/// let client = Client::new("http://localhost:3000")?;
/// let provider = SessionProvider::builder(client).refetch_interval(Duration::from_secs(60)).start()?;
///
/// let mut session = provider.use_session();
/// loop {
///     let now = session.borrow_and_update().clone();
///     match (now.status, now.data) {
///         (SessionStatus::Authenticated, Some(session)) => println!("hello {:?}", session.user.name),
///         (SessionStatus::Unauthenticated, _) => println!("nobody is signed in"),
///         _ => println!("one moment"),
///     }
///     session.changed().await?;
/// }
/// # }
/// ```
pub struct SessionProvider<U = SessionUser> {
    shared: Arc<Shared<U>>,
    driver: Arc<Driver>,
}

impl<U: DeserializeOwned + Send + Sync + 'static> SessionProvider<U> {
    /// A provider of this client's session, with the settings of npm unless they are changed.
    pub fn builder(client: Client<U>) -> SessionProviderBuilder<U> {
        SessionProviderBuilder::new(client)
    }

    /// `useSession()`: the state as it is and becomes.
    pub fn use_session(&self) -> watch::Receiver<SessionState<U>> {
        self.shared.state.subscribe()
    }

    /// The state as it is.
    pub fn state(&self) -> SessionState<U> {
        self.shared.state.borrow().clone()
    }

    /// The client whose session it is.
    pub fn client(&self) -> &Client<U> {
        &self.shared.client
    }

    /// Says that the user has come back to the application. The session is read again if there is one, unless that is
    /// switched off or it was read less than `client_max_age` ago.
    pub async fn focus(&self) {
        if self.shared.options.refetch_on_focus {
            self.shared.refetch(Cause::Event).await;
        }
    }

    /// Says whether there is a network. Matters with `refetch_when_offline(false)` only.
    pub fn set_online(&self, online: bool) {
        self.shared.set_online(online);
    }

    /// Reads the session again and answers the state after that. Whoever asks while it is read waits for the same
    /// answer.
    pub async fn refetch(&self) -> SessionState<U> {
        self.shared.refetch(Cause::Asked).await;
        self.state()
    }

    /// `update(data)`: as [`Client::update`], and the session that it answers is the new state. With v3 and v4 nothing
    /// is asked while nobody is signed in.
    ///
    /// # Errors
    ///
    /// As [`Client::update`]; the state stays what it was.
    pub async fn update(
        &self,
        data: impl Into<Option<Value>>,
    ) -> Result<Option<Arc<Session<U>>>, ClientError> {
        self.shared.update(data.into()).await
    }

    /// `signIn(provider, options, authorizationParams)`: as [`Client::sign_in`]; the state is the new one when it returns,
    /// or has the `error` for which the session could not be read.
    ///
    /// # Errors
    ///
    /// As [`Client::sign_in`].
    pub async fn sign_in<'p>(
        &self,
        provider: impl Into<Option<&'p str>>,
        options: SignInOptions,
        authorization_params: &[(&str, &str)],
    ) -> Result<SignIn, ClientError> {
        self.shared.sign_in(provider.into(), options, authorization_params).await
    }

    /// `signOut(options)`: as [`Client::sign_out`]; the state is the new one when it returns. That is nobody also if the
    /// server could not be asked afterwards: the `error` of the state says so.
    ///
    /// # Errors
    ///
    /// As [`Client::sign_out`].
    pub async fn sign_out(&self, options: SignOutOptions) -> Result<String, ClientError> {
        self.shared.sign_out(options).await
    }
}

impl<U> Clone for SessionProvider<U> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), driver: Arc::clone(&self.driver) }
    }
}

impl<U> fmt::Debug for SessionProvider<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionProvider").field("state", &*self.shared.state.borrow()).finish_non_exhaustive()
    }
}

/// How a provider behaves.
struct Options {
    refetch_interval: Option<Duration>,
    refetch_on_focus: bool,
    refetch_when_offline: bool,
    client_max_age: Duration,
    on_unauthenticated: Option<OnUnauthenticated>,
}

/// Called with the URL of the sign-in page.
type OnUnauthenticated = Box<dyn Fn(&str) + Send + Sync>;
