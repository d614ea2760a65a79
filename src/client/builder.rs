//! A client with settings of its own.

use std::{fmt, sync::Arc, time::Duration};

use url::Url;

use super::{
    Client, CookieJar,
    server::{KnownDialect, Server},
};
use crate::{
    clock::{Clock, SystemClock},
    dialect::Dialect,
    error::ConfigError,
    http_client::{HttpClient, HyperClient, check_url},
    origin::OriginPolicy,
};

/// What a [`Client`] is made of. Begun by [`Client::builder`].
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Dialect, client::{Client, CookieJar}};
///
/// let jar = CookieJar::new();
/// let client = Client::builder("https://app.example")
///     .base_path("/custom/auth")
///     .dialect(Dialect::V5)
///     .jar(jar.clone())
///     .time_limit(Duration::from_secs(5))
///     .build()?;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    base_path: Option<String>,
    callback_url: Option<String>,
    dialect: Option<Dialect>,
    http: Option<Arc<dyn HttpClient>>,
    clock: Arc<dyn Clock>,
    jar: CookieJar,
    time_limit: Duration,
    logs: bool,
}

impl ClientBuilder {
    pub(super) fn new(base_url: String) -> Self {
        Self {
            base_url,
            base_path: None,
            callback_url: None,
            dialect: None,
            http: None,
            clock: Arc::new(SystemClock),
            jar: CookieJar::new(),
            time_limit: Duration::from_secs(10),
            logs: true,
        }
    }

    /// The path of the endpoints: that of the base URL unless set, else `/api/auth`.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = Some(path.into());
        self
    }

    /// Where sign-in and sign-out lead to unless an option says so: the base URL's origin unless set. In a browser that
    /// is `window.location.href`.
    pub fn callback_url(mut self, url: impl Into<String>) -> Self {
        self.callback_url = Some(url.into());
        self
    }

    /// The dialect that the server speaks. Unless it is set, the client goes by the names of the server's cookies, which
    /// are the same in v3 and v4, and sends what every dialect understands while it does not know.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// What sends the requests: a [`HyperClient`] unless set. A test of an application gives the application itself
    /// ([`ServiceClient`](crate::http_client::ServiceClient)):
    ///
    /// ```
    /// # #[cfg(not(feature = "axum"))] fn main() {}
    /// # #[cfg(feature = "axum")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, routing::get};
    /// use bytes::Bytes;
    /// use http::Request;
    /// use portcullis::{client::{Client, SignInOptions}, http_client::ServiceClient};
    /// # use portcullis::{Auth, AuthLayer, BoxError, Credentials, Field, OriginPolicy, RequireAuth, Secret, Submitted, User};
    /// # async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    /// #     Ok((form.get("password") == Some("hunter2")).then(|| User::new("1").name("J Smith")))
    /// # }
    /// # let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
    /// #     .origin(OriginPolicy::fixed("https://app.example")?)
    /// #     .provider(Credentials::new(check_password).field(Field::password("password", "Password")))
    /// #     .build()?;
    /// # let app = Router::new().route("/me", get(async || "me")).route_layer(RequireAuth::signed_in());
    /// # let app = app.layer(AuthLayer::new(auth));
    ///
    /// // `app` is the application's Router, for the origin https://app.example.
    /// let client = Client::builder("https://app.example").http_client(ServiceClient::new(app)).build()?;
    /// let me = || Request::get("/me").body(Bytes::new());
    /// assert_eq!(client.fetch(me()?).await?.status(), 401);
    ///
    /// let outcome = client.sign_in("credentials", SignInOptions::new().field("password", "hunter2"), &[]).await?;
    /// assert_eq!(outcome.error(), None);
    /// assert_eq!(client.get_session().await?.unwrap().user.name.as_deref(), Some("J Smith"));
    /// assert_eq!(client.fetch(me()?).await?.status(), 200);
    /// # Ok(()) }
    /// ```
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Where the time comes from: [`SystemClock`] unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the cookies are kept: in a jar of the client's own unless set.
    pub fn jar(mut self, jar: CookieJar) -> Self {
        self.jar = jar;
        self
    }

    /// How long a request may take: 10 seconds unless set.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Whether failures are told to the server, as the clients of npm do where servers log them (v3, v4): yes unless
    /// set. It learns the path and the kind of failure; a server that gave no answer is told nothing.
    pub fn log_to_server(mut self, logs: bool) -> Self {
        self.logs = logs;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// When the base URL is no https URL, nor an http URL of this machine, or no certificates are found that this
    /// machine trusts.
    pub fn build(self) -> Result<Client, ConfigError> {
        let base = base(&self.base_url, self.base_path.as_deref())?;
        let http = match self.http {
            Some(http) => http,
            None => Arc::new(HyperClient::new()?.time_limit(self.time_limit)),
        };
        let callback_url = self.callback_url.unwrap_or_else(|| base.origin().ascii_serialization());
        let server = Server {
            base,
            http,
            clock: self.clock,
            jar: self.jar,
            time_limit: self.time_limit,
            logs: self.logs,
            dialect: KnownDialect::new(self.dialect),
        };
        Ok(Client::of(server, callback_url))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// The URL of the endpoints, as `NEXTAUTH_URL` is read (`docs/protocol.md` section 1.2).
fn base(base_url: &str, base_path: Option<&str>) -> Result<Url, ConfigError> {
    let policy = OriginPolicy::fixed(base_url)?;
    let path = base_path.unwrap_or(policy.base_path());
    let origin = policy.known().first().map_or("", |origin| origin.as_str());
    let text = format!("{origin}/{}", path.trim_matches('/'));
    let refused = |why: &dyn fmt::Display| {
        ConfigError::one(
            format!("{base_url:?} cannot be asked ({why})"),
            "name the https URL of the site; http is for servers on this machine",
        )
    };
    let uri = text.parse().map_err(|error: http::uri::InvalidUri| refused(&error))?;
    check_url(&uri).map_err(|error| refused(&error))?;
    Url::parse(&text).map_err(|error| refused(&error))
}
