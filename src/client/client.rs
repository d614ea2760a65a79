//! The calls.

use std::{fmt, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ClientBuilder, ClientError, ClientSafeProvider, CookieJar, Session, SignIn, SignInOptions,
    SignOutOptions,
    jar::{Announcer, Turn},
    server::Server,
    sign_in,
};
use crate::{dialect::Dialect, error::ConfigError, session::SessionUser};

/// A visitor of an Auth.js server, with a [`CookieJar`]: the functions of `next-auth/react` for Rust programs
/// (`docs/protocol.md` section 15). Clones are the same visitor.
///
/// `U` is the application's type for the session's user, as in [`Session<U>`]; see [`typed`](Self::typed).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis::client::{Client, SignInOptions, SignOutOptions};
///
/// let client = Client::new("http://localhost:3000")?;
///
/// let options = SignInOptions::new().field("username", "jsmith").field("password", "hunter2");
/// let outcome = client.sign_in("credentials", options, &[]).await?;
/// if let Some(error) = outcome.error() {
///     println!("not signed in: {error}");
/// }
/// if let Some(session) = client.get_session().await? {
///     println!("signed in as {:?} until {:?}", session.user.name, session.expires);
/// }
/// client.sign_out(SignOutOptions::new()).await?;
/// # Ok(()) }
/// ```
pub struct Client<U = SessionUser> {
    pub(super) inner: Arc<Inner>,
    user: PhantomData<fn() -> U>,
}

pub(super) struct Inner {
    pub(super) server: Server,
    pub(super) callback_url: String,
}

impl Client {
    /// A client of the server at this URL, with an empty jar. Its path, if it has one, is the base path of the
    /// endpoints, as in `NEXTAUTH_URL`; without one that is `/api/auth`.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn new(base_url: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(base_url).build()
    }

    /// A client with other settings.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url.into())
    }

    pub(super) fn of(server: Server, callback_url: String) -> Self {
        Self { inner: Arc::new(Inner { server, callback_url }), user: PhantomData }
    }
}

impl<U> Client<U> {
    /// The same visitor, whose session's user is a type of the application.
    ///
    /// ```
    /// use portcullis::client::Client;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Member {
    ///     name: Option<String>,
    ///     team: Option<String>,
    /// }
    ///
    /// let client = Client::new("https://app.example")?.typed::<Member>();
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    #[must_use]
    pub fn typed<T>(&self) -> Client<T> {
        Client { inner: Arc::clone(&self.inner), user: PhantomData }
    }

    /// The jar.
    pub fn jar(&self) -> &CookieJar {
        &self.server().jar
    }

    /// The dialect that the server speaks, if it was set or has been found out.
    pub fn dialect(&self) -> Option<Dialect> {
        self.server().dialect()
    }

    /// `getCsrfToken()`: the token that forms of this visitor carry, for programs that post some of their own.
    ///
    /// # Errors
    ///
    /// When the server gives none.
    pub async fn get_csrf_token(&self) -> Result<String, ClientError> {
        self.server().csrf_token().await
    }

    /// `getProviders()`: the ways to sign in, in the server's order.
    ///
    /// # Errors
    ///
    /// When the server does not tell them.
    pub async fn get_providers(&self) -> Result<Vec<ClientSafeProvider>, ClientError> {
        let members = self.server().get("providers").await?;
        members.into_values().map(ClientSafeProvider::read).collect()
    }

    /// `signIn(provider, options, authorizationParams)`.
    ///
    /// Without a provider (`None`), or with one that the server does not have, it leads to the sign-in page, which is no
    /// [`error`](SignIn::error); of the latter the log has a warning. With credentials
    /// the session is in the jar afterwards, unless there is an [`error`](SignIn::error); a link by mail is on its way;
    /// with OAuth it leads to the provider, for a browser ([`sign_in_native`](Client::sign_in_native) does the rest).
    /// `authorization_params` are added to the request, and handed on to the provider. An id in a `String` is given as
    /// `id.as_str()`.
    ///
    /// ```no_run
    /// # async fn example(client: portcullis::client::Client) -> Result<(), portcullis::client::ClientError> {
    /// use portcullis::client::SignInOptions;
    ///
    /// let outcome = client.sign_in("github", SignInOptions::new(), &[("prompt", "login")]).await?;
    /// println!("continue in a browser: {}", outcome.url().unwrap_or_default());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the server cannot be asked. That it refuses to sign in is no error of this kind, but an
    /// [`error`](SignIn::error) of the result.
    pub async fn sign_in<'p>(
        &self,
        provider: impl Into<Option<&'p str>>,
        options: SignInOptions,
        authorization_params: &[(&str, &str)],
    ) -> Result<SignIn, ClientError> {
        sign_in::sign_in(self, provider.into(), options, authorization_params, None).await
    }

    /// `signOut(options)`: ends the session, here and at the server. Answers where a browser would go then.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or did not end the session: it is to be tried again.
    pub async fn sign_out(&self, options: SignOutOptions) -> Result<String, ClientError> {
        self.sign_out_as(options, None).await.map(|(url, _)| url)
    }

    /// Likewise; answers in which turn of the jar that was, too.
    pub(super) async fn sign_out_as(
        &self,
        options: SignOutOptions,
        by: Announcer,
    ) -> Result<(String, Turn), ClientError> {
        let server = self.server();
        let callback_url = options.callback_url.unwrap_or_else(|| self.inner.callback_url.clone());
        let token = server.csrf_token().await?;
        let url = server.endpoint(&["signout"]);
        let outcome = server.post(&url, &[], &token, Some(&callback_url)).await?;
        if !outcome.status.is_success() {
            return Err(ClientError::of_status(url.as_str(), outcome.status));
        }
        // Who is told "signed out" believes it.
        let names_error =
            outcome.destination().is_some_and(|url| sign_in::parameter(&url, "error").is_some());
        if names_error && outcome.url.as_deref() != Some(&*server.resolve(&callback_url)) {
            return Err(ClientError::shape(url.as_str(), "that the session is over"));
        }
        let turn = server.jar.announce_sign_out(by, Some(&server.base));
        Ok((outcome.url.unwrap_or_else(|| server.resolve(&callback_url)), turn))
    }

    /// `fetch(..)` of a page: asks the site anything else, signed in as this visitor is. A path is one of the site's
    /// origin, and no other origin is asked. The response is what the site has answered: any status is one, and a redirect is
    /// not followed.
    ///
    /// ```no_run
    /// # async fn example(client: portcullis::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http::{Request, StatusCode};
    ///
    /// let response = client.fetch(Request::get("/api/orders").body(Bytes::new())?).await?;
    /// if response.status() == StatusCode::UNAUTHORIZED {
    ///     println!("sign in first");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the site cannot be asked; [`Unsupported`](super::ClientErrorKind::Unsupported), when the URL is of another
    /// one.
    pub async fn fetch(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ClientError> {
        self.server().fetch(request).await
    }

    pub(super) fn server(&self) -> &Server {
        &self.inner.server
    }
}

impl<U: DeserializeOwned> Client<U> {
    /// `getSession()`: who is signed in, or `None` if nobody is. The server may renew the session.
    ///
    /// # Errors
    ///
    /// When the server does not say, [`Unavailable`](super::ClientErrorKind::Unavailable) where its store is away, too; and
    /// when the session's user is not a `U`.
    pub async fn get_session(&self) -> Result<Option<Session<U>>, ClientError> {
        self.get_session_as(Some(None)).await
    }

    /// Likewise; tells providers so if there is somebody to tell it.
    pub(super) async fn get_session_as(
        &self,
        by: Option<Announcer>,
    ) -> Result<Option<Session<U>>, ClientError> {
        let asked = self.server().session().await;
        if let Some(by) = by {
            self.server().jar.announce(by);
        }
        Session::read(asked?)
    }

    /// `update(data)`: hands `data` to the server's `jwt` callback (v5: `unstable_update`), which decides what becomes of
    /// it, and answers the session after that; `None` if nobody is signed in. Without data the session is read again,
    /// and its callbacks run with `trigger: "update"` (v4).
    ///
    /// ```no_run
    /// # async fn example(client: portcullis::client::Client) -> Result<(), portcullis::client::ClientError> {
    /// let session = client.update(serde_json::json!({ "name": "John Smith" })).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the server does not do it: [`Unsupported`](super::ClientErrorKind::Unsupported) by v3, where the
    /// [`dialect`](super::ClientBuilder::dialect) is set to it; its cookies have the names of v4, which cannot tell.
    pub async fn update(&self, data: impl Into<Option<Value>>) -> Result<Option<Session<U>>, ClientError> {
        self.update_as(data.into(), None).await
    }

    pub(super) async fn update_as(
        &self,
        data: Option<Value>,
        by: Announcer,
    ) -> Result<Option<Session<U>>, ClientError> {
        let server = self.server();
        if server.dialect().is_some_and(|dialect| !dialect.rules().serves_update) {
            return Err(ClientError::unsupported("servers of next-auth 3 do not update sessions"));
        }
        if data.is_none() && server.rules().reads_without_data {
            return self.get_session_as(Some(by)).await;
        }
        let updated = Session::read(server.post_update(data).await?)?;
        if updated.is_some() {
            server.jar.announce(by);
        }
        Ok(updated)
    }
}

impl<U> Clone for Client<U> {
    fn clone(&self) -> Self {
        self.typed()
    }
}

impl<U> fmt::Debug for Client<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("server", self.server()).finish_non_exhaustive()
    }
}
