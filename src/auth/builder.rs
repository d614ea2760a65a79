//! The configuration, and the one place that judges it as a whole.

#[cfg(feature = "oauth")]
mod providers;
mod stores;

use std::{fmt, future::Future, num::NonZeroUsize, sync::Arc, time::Duration};

use super::{Auth, CredentialsUsers, CsrfSecrets, DescribeClient, Settings, Site, site::MailSite};
use crate::{
    account::{LinkingPolicy, TokenSeal},
    callbacks::{
        Callbacks, Event, JwtContext, RedirectContext, SessionContext, SignInContext, SignInDecision, boxed,
    },
    clock::{Clock, SystemClock},
    codec::{self, Codec},
    cookie::{CookieKind, CookieNames, CookieOptions, CookiePolicy},
    cross_site::CrossSite,
    dialect::Dialect,
    error::{BoxError, ConfigError},
    origin::OriginPolicy,
    pages::{Pages, Style, Theme},
    provider::Provider,
    secret::Secret,
    session::{Claims, Lifetime, Profile, RevocationPolicy, Session, SessionIds, Strategy},
    store::{RevocationStore, SessionStore, Store, Stores},
};
#[cfg(feature = "oauth")]
use crate::{
    auth::{provider_tokens::Turns, site::OAuthSite},
    http_client::HttpClient,
    oauth::{Checks, UsedStates},
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
    http_client: Option<Arc<dyn HttpClient>>,
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
            http_client: None,
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

    /// Judges the configuration.
    ///
    /// # Errors
    ///
    /// All problems of the builder at once, each with its remedy: a weak secret, cookies that browsers refuse,
    /// two providers of one id, paths that are none.
    pub fn build(mut self) -> Result<Auth, ConfigError> {
        let mut problems = ConfigError::none();
        for (problem, remedy) in self.secret.problems() {
            problems.add(problem, remedy);
        }
        let origin = self.origin.clone().map_or_else(OriginPolicy::from_env, Ok);
        let origin = origin.map_err(|error| problems.append(error)).ok();
        let schemes = self.schemes(origin.as_ref());
        let mut profiles = [false, true].map(|https| {
            let (profile, checked) = self.profile(https);
            // Cookies at a scheme that this site never has are nobody's problem.
            if schemes.contains(&https) {
                checked.unwrap_or_else(|error| problems.append(error));
            }
            Some(profile)
        });
        self.check_providers(&mut problems);
        #[cfg(feature = "oauth")]
        let clients = self.oauth_clients(&mut problems);
        self.check_stores(&mut problems);
        let base_path = self
            .base_path
            .clone()
            .unwrap_or_else(|| origin.as_ref().map_or("/api/auth", OriginPolicy::base_path).to_owned());
        let local_path = self.local_path(&base_path, &mut problems);
        let style = Style::new(&self.theme, &self.providers).map_err(|error| problems.append(error)).ok();
        problems.into_result()?;

        let [http, https] = profiles.each_mut().map(Option::take);
        let parts = (origin, style, http, https);
        let (Some(origin), Some(style), Some(http), Some(https)) = parts else {
            return Err(ConfigError::one(
                "the configuration is incomplete",
                "report this: it should have been named",
            ));
        };
        let rules = self.dialect.rules();
        let (stores, place) = self.place();
        let sign_in_page = self.pages.sign_in.clone().unwrap_or_else(|| format!("{base_path}/signin"));
        let names = [&http.names, &https.names];
        let mail = MailSite::new(&self.providers, rules, &self.secret, names);
        #[cfg(feature = "oauth")]
        let oauth = OAuthSite {
            clients,
            checks: Checks::new(rules, &self.secret, names),
            used: UsedStates::default(),
            turns: Turns::default(),
        };
        let site = Site {
            #[cfg(feature = "oauth")]
            oauth,
            base_path,
            local_path,
            csrf: CsrfSecrets::new(&self.secret, rules),
            mail,
            cross_site: CrossSite::new(&origin, self.check_cross_site),
            providers: self.providers,
            pages: self.pages,
            style,
            body_limit: self.body_limit,
        };
        let token_seal = TokenSeal::new(&self.secret, self.seals_provider_tokens);
        let settings = Settings {
            rules,
            strategy: Strategy::new(http, https, self.lifetime, place)
                .recording_auth_time(self.record_auth_time),
            stores,
            linking: self.linking,
            token_seal,
            credentials_users: self.credentials_users,
            describe_client: self.describe_client,
            callbacks: self.callbacks,
            renew_on_read: self.renew_on_read,
            bearer_sessions: self.bearer_sessions,
            sign_in_page: Some(sign_in_page),
            site: Some(Arc::new(site)),
            origin: Some(origin),
            clock: self.clock,
        };
        let auth = Auth { settings: Arc::new(settings) };
        auth.startup_report().warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(auth)
    }

    /// The schemes that this site may be reached under.
    fn schemes(&self, origin: Option<&OriginPolicy>) -> Vec<bool> {
        let known: Vec<_> =
            origin.into_iter().flat_map(OriginPolicy::known).map(|origin| origin.is_https()).collect();
        if known.is_empty() { vec![true] } else { known }
    }

    fn profile(&self, https: bool) -> (Profile, Result<(), ConfigError>) {
        let names_of = |dialect: Dialect| CookieNames::new(dialect.rules(), &self.cookies, https);
        let codec_of =
            |dialect: Dialect, name: &str| codec::of_format(dialect.rules().token, &self.secret, name);
        let names = names_of(self.dialect);
        let checked = names.check();
        let codec = self.codec.clone().unwrap_or_else(|| codec_of(self.dialect, &names.session_token.name));
        let mut profile = Profile::new(names, self.dialect.rules(), codec);
        for dialect in self.accepted.iter().copied().filter(|dialect| *dialect != self.dialect) {
            let spec = names_of(dialect).session_token;
            let codec = codec_of(dialect, &spec.name);
            profile.accept(spec, dialect.rules(), codec);
        }
        (profile, checked)
    }

    fn check_providers(&self, problems: &mut ConfigError) {
        for (index, provider) in self.providers.iter().enumerate() {
            let id = provider.id();
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            {
                problems.add(
                    format!("the provider id {id:?} cannot be part of a URL"),
                    "use letters, digits, '-', '_' and '.' only",
                );
            }
            if self.providers[..index].iter().any(|earlier| earlier.id() == id) {
                problems.add(format!("two providers have the id {id:?}"), "give one of them another id");
            }
            if let Provider::Email(email) = provider {
                let own = email.own_secret().map(Secret::problems).unwrap_or_default();
                for (problem, remedy) in own {
                    problems.add(format!("{id:?} has a secret of its own: {problem}"), remedy);
                }
                let limit = email.per_address();
                if limit.count > 100 || limit.per.is_zero() {
                    problems.add(
                        format!("the limit of mails of {id:?} cannot be counted"),
                        "set it to 100 at most in some time, or to 0 for none",
                    );
                }
            }
            if let Provider::Credentials(credentials) = provider
                && credentials.fields().is_empty()
            {
                problems.add(
                    format!(
                        "the provider {id:?} has no fields, so its function would never be given anything"
                    ),
                    "declare them: .field(Field::text(\"username\", \"Username\"))",
                );
            }
        }
    }

    fn local_path(&self, base_path: &str, problems: &mut ConfigError) -> String {
        for path in [base_path, &self.mount] {
            let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
            let canonical = !path.contains("//")
                && !path.ends_with('/')
                && !path.split('/').any(|part| part == "." || part == "..");
            if !path.is_empty() && (!path.starts_with('/') || !plain || !canonical) {
                problems.add(
                    format!("{path:?} is no path as a router sees it"),
                    "begin it with '/', end it without one, and use letters, digits, '-', '.', '_' and '~'",
                );
            }
        }
        if base_path.is_empty() {
            problems
                .add("the base path is empty, so every request would be an endpoint", "use \"/api/auth\"");
        }
        base_path.strip_prefix(self.mount.as_str()).map(str::to_owned).unwrap_or_else(|| {
            problems.add(
                format!("the base path {base_path:?} does not begin with the mount {:?}", self.mount),
                "the base path is what the outside sees, the mount included",
            );
            String::new()
        })
    }
}
