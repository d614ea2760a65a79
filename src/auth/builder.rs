//! The configuration, as it is collected.

mod build;
#[cfg(feature = "oauth")]
mod providers;
mod stores;

use std::{fmt, future::Future, num::NonZeroUsize, sync::Arc, time::Duration};

use super::{CredentialsUsers, DescribeClient};
use crate::{
    account::LinkingPolicy,
    callbacks::{
        Callbacks, Event, JwtContext, RedirectContext, SessionContext, SignInContext, SignInDecision, boxed,
    },
    clock::{Clock, SystemClock},
    codec::Codec,
    cookie::{CookieKind, CookieOptions, CookiePolicy},
    dialect::Dialect,
    error::BoxError,
    origin::OriginPolicy,
    pages::{Pages, Theme},
    provider::Provider,
    secret::Secret,
    session::{Claims, Lifetime, RevocationPolicy, Session, SessionIds},
    store::{RevocationStore, SessionStore, Store, Stores},
};

/// Collects a configuration; [`build`](Self::build) judges it.
#[must_use = "a builder does nothing until `build`"]
pub struct AuthBuilder {
    secret: Secret,
    dialect: Dialect,
    accepted: Vec<Dialect>,
    codec: Option<Arc<dyn Codec>>,
    origin: Option<OriginPolicy>,
    base_path: Option<String>,
    mount: String,
    cookies: CookiePolicy,
    lifetime: Lifetime,
    renew_on_read: bool,
    bearer_sessions: bool,
    record_auth_time: bool,
    providers: Vec<Provider>,
    pages: Pages,
    theme: Theme,
    callbacks: Callbacks,
    clock: Arc<dyn Clock>,
    body_limit: usize,
    check_cross_site: bool,
    store: Option<Arc<dyn Store>>,
    session_store: Option<Arc<dyn SessionStore>>,
    store_time_limit: Duration,
    sessions_in_tokens: bool,
    session_ids: SessionIds,
    session_limit: Option<NonZeroUsize>,
    revocation: Option<(Arc<dyn RevocationStore>, RevocationPolicy)>,
    linking: LinkingPolicy,
    seals_provider_tokens: bool,
    credentials_users: CredentialsUsers,
    describe_client: Option<DescribeClient>,
    #[cfg(feature = "oauth")]
    oauth: providers::OAuthOptions,
}

/// Without the secret, and without what callbacks are.
impl fmt::Debug for AuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBuilder")
            .field("dialect", &self.dialect)
            .field("origin", &self.origin)
            .field("providers", &self.providers)
            .field("lifetime", &self.lifetime)
            .field("store", &self.store)
            .field("callbacks", &self.callbacks)
            .finish_non_exhaustive()
    }
}

impl AuthBuilder {
    pub(super) fn new(secret: Secret) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            secret,
            dialect: Dialect::default(),
            accepted: Vec::new(),
            codec: None,
            origin: None,
            base_path: None,
            mount: String::new(),
            cookies: CookiePolicy::default(),
            lifetime: Lifetime::default(),
            renew_on_read: false,
            bearer_sessions: false,
            record_auth_time: false,
            providers: Vec::new(),
            pages: Pages::default(),
            theme: Theme::default(),
            callbacks: Callbacks::new(Arc::clone(&clock)),
            clock,
            body_limit: 1024 * 1024,
            check_cross_site: true,
            store: None,
            session_store: None,
            store_time_limit: Stores::TIME_LIMIT,
            sessions_in_tokens: false,
            session_ids: SessionIds::default(),
            session_limit: None,
            revocation: None,
            linking: LinkingPolicy::default(),
            seals_provider_tokens: false,
            credentials_users: CredentialsUsers::default(),
            describe_client: None,
            #[cfg(feature = "oauth")]
            oauth: providers::OAuthOptions::default(),
        }
    }

    /// The generation of Auth.js that is spoken; [`Dialect::V4`] by default.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Reads the sessions of another dialect too. They are renewed in the dialect that is spoken.
    pub fn accept(mut self, dialect: Dialect) -> Self {
        self.accepted.push(dialect);
        self
    }

    /// Seals session tokens with another codec than the dialect's, such as `Jws` of [`codec`](crate::codec).
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codec = Some(Arc::new(codec));
        self
    }

    /// Who says where this site is; by default the environment, see [`OriginPolicy::from_env`].
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The path of the endpoints as the outside sees it; by default that of the configured URL, else `/api/auth`.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = Some(path.into());
        self
    }

    /// What an outer router has stripped from the paths that reach the layer: with the base path
    /// `/custom-route/api/auth` under `Router::nest_service("/custom-route", ..)` it is `/custom-route`.
    ///
    /// With Axum's `Router::nest` the inner router needs a `fallback` of its own, or its layer is never asked
    /// about `/api/auth/*`. Simpler: put the layer on the outermost router and leave this out.
    pub fn mounted_at(mut self, prefix: impl Into<String>) -> Self {
        self.mount = prefix.into();
        self
    }

    /// Whether cookies are `Secure` and have their prefixes; by default exactly at https origins.
    pub fn secure_cookies(mut self, secure: bool) -> Self {
        self.cookies.secure = Some(secure);
        self
    }

    /// Changes one of the cookies.
    pub fn cookie(mut self, kind: CookieKind, options: CookieOptions) -> Self {
        self.cookies.overrides.push((kind, options));
        self
    }

    /// How long sessions live; 30 days, renewed once a day, by default.
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Renews the session at every request that has one, as `getServerSession` does in a page of Next.js.
    /// Off by default: it costs a new token each time, and late answers may overwrite newer cookies.
    pub fn renew_on_read(mut self, always: bool) -> Self {
        self.renew_on_read = always;
        self
    }

    /// Takes a session token in `Authorization: Bearer` for a session at every request that has no session
    /// cookie. Off by default, as in Auth.js, where only `getToken` looks there
    /// (`docs/protocol.md` section 16); gRPC requests, which have no form to forge, may always send it.
    ///
    /// Such a session is read and never renewed: there is no cookie to put a new token into.
    pub fn bearer_sessions(mut self, accept: bool) -> Self {
        self.bearer_sessions = accept;
        self
    }

    /// Writes into each token when its user signed in (`auth_time`, as in OpenID Connect), for guards with
    /// [`Rule::fresh_within`](crate::guard::Rule::fresh_within). Off by default: the npm packages write no such
    /// claim. An absolute limit of the [`Lifetime`] switches it on.
    pub fn record_auth_time(mut self, record: bool) -> Self {
        self.record_auth_time = record;
        self
    }

    /// Adds a way to sign in.
    pub fn provider(mut self, provider: impl Into<Provider>) -> Self {
        self.providers.push(provider.into());
        self
    }

    /// Pages of the application's own in place of the built-in ones.
    pub fn pages(mut self, pages: Pages) -> Self {
        self.pages = pages;
        self
    }

    /// How the built-in pages look.
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = theme;
        self
    }

    /// The `signIn` callback: may this user sign in? An error refuses.
    pub fn on_sign_in<F>(mut self, callback: impl Fn(SignInContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<SignInDecision, BoxError>> + Send + 'static,
    {
        self.callbacks.sign_in = Some(boxed(callback));
        self
    }

    /// The `redirect` callback: where may a `callbackUrl` lead? What it returns is followed, so it must judge
    /// the whole URL. By default: to this origin only.
    pub fn on_redirect<F>(mut self, callback: impl Fn(RedirectContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.callbacks.redirect = Some(boxed(callback));
        self
    }

    /// The `jwt` callback: what goes into the token; not called where sessions live in a store. Called at a sign-in, when a session is renewed and at
    /// `update()`; `Ok(None)` ends the session.
    ///
    /// ```
    /// # use portcullis::{Auth, JwtContext, Secret};
    /// # let builder = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"));
    /// builder.on_jwt(|JwtContext { mut token, user, .. }| async move {
    ///     if let Some(role) = user.as_ref().and_then(|user| user.get_str("role")) {
    ///         token.insert("role", role);
    ///     }
    ///     Ok(Some(token))
    /// })
    /// # ;
    /// ```
    pub fn on_jwt<F>(mut self, callback: impl Fn(JwtContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<Claims>, BoxError>> + Send + 'static,
    {
        self.callbacks.jwt = Some(boxed(callback));
        self
    }

    /// The `session` callback: what clients and handlers see. Called for every request with a valid session
    /// cookie, so keep it quick, or put the layer only around the routes that need it.
    ///
    /// ```
    /// # use portcullis::{Auth, Secret, SessionContext};
    /// # let builder = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"));
    /// builder.on_session(|SessionContext { mut session, token, .. }| async move {
    ///     if let Some(role) = token.get_str("role") {
    ///         session.user.insert("role", role);
    ///     }
    ///     Ok(session)
    /// })
    /// # ;
    /// ```
    pub fn on_session<F>(mut self, callback: impl Fn(SessionContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Session, BoxError>> + Send + 'static,
    {
        self.callbacks.session = Some(boxed(callback));
        self
    }

    /// Is told of sign-ins, sign-outs and reads. Its errors are logged and change nothing.
    pub fn on_event<F>(mut self, callback: impl Fn(Event) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.callbacks.event = Some(boxed(callback));
        self
    }

    /// How long `authorize` and each callback may take; 30 seconds by default.
    pub fn callback_time_limit(mut self, limit: Duration) -> Self {
        self.callbacks.time_limit = limit;
        self
    }

    /// Where the time comes from; the system by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self.callbacks.clock = Arc::clone(&self.clock);
        self
    }

    /// The largest body that the endpoints read, in bytes; 1 MiB by default, as in Next.js.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Whether posts that a browser marks as coming from another site are refused before anything else
    /// (`Sec-Fetch-Site`, `Origin`); on by default. The CSRF token is asked for either way.
    pub fn check_cross_site(mut self, check: bool) -> Self {
        self.check_cross_site = check;
        self
    }
}
