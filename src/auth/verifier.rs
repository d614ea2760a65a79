//! A service that reads the sessions of a site and makes none.

use std::{future::Future, sync::Arc, time::Duration};

use super::{Auth, CredentialsUsers, Settings};
use crate::{
    account::{LinkingPolicy, TokenSeal},
    callbacks::{Callbacks, SessionContext, boxed},
    clock::{Clock, SystemClock},
    codec::{self, Codec, NoTokens},
    cookie::{CookieKind, CookieNames, CookieOptions, CookiePolicy},
    dialect::Dialect,
    error::{BoxError, ConfigError},
    origin::OriginPolicy,
    secret::Secret,
    session::{Expected, Lifetime, Place, Profile, Rows, Session, SessionIds, Strategy},
    store::{Store, Stores},
};

impl Auth {
    /// Begins a verifier: an [`Auth`] that reads the sessions of a site that signs people in elsewhere, such as
    /// a Next.js application, and knows nothing but the site's secret.
    ///
    /// It has no endpoints, writes no cookies and needs no store. It reads the session cookies of v3, v4 and
    /// v5 under their http and https names, whole or in chunks, made with any secret of the list, and the
    /// same tokens in `Authorization: Bearer`.
    ///
    /// Of a site that has moved to another generation of Auth.js name the present one with
    /// [`dialects`](VerifierBuilder::dialects): cookies of the older one stay in browsers after a sign-out, and
    /// would count here until they expire.
    ///
    /// ```
    /// use portcullis::{Auth, AuthLayer, Secret};
    ///
    /// let auth = Auth::verifier(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P")).build()?;
    /// let layer = AuthLayer::new(auth);
    /// # let _ = layer;
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn verifier(secret: Secret) -> VerifierBuilder {
        VerifierBuilder::new(Some(secret), Vec::new())
    }

    /// Begins a verifier that has public keys and no secret: whoever runs it can read tokens and make none. The
    /// codec is usually a `Jws` with a public key or a set of them (feature `jws`).
    pub fn verifier_with(codec: impl Codec) -> VerifierBuilder {
        VerifierBuilder::new(None, vec![Arc::new(codec)])
    }

    /// Begins a verifier that finds sessions in a store, such as the tables of a Next.js application with
    /// `strategy: "database"`. It changes nothing there: sessions are extended by the site alone.
    ///
    /// ```
    /// use portcullis::{Auth, AuthLayer, SessionIds, store::MemoryStore};
    ///
    /// let auth = Auth::verifier_of(MemoryStore::new()).session_ids(SessionIds::Raw).build()?;
    /// let layer = AuthLayer::new(auth);
    /// # let _ = layer;
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn verifier_of(store: impl Store) -> VerifierBuilder {
        let builder = VerifierBuilder::new(None, vec![Arc::new(NoTokens)]);
        VerifierBuilder { store: Some(Arc::new(store)), ..builder }
    }
}

/// Collects what a verifier reads; [`build`](Self::build) judges it. Made by [`Auth::verifier`] and
/// [`Auth::verifier_with`].
#[must_use = "a builder does nothing until `build`"]
#[derive(Debug)]
pub struct VerifierBuilder {
    secret: Option<Secret>,
    codecs: Vec<Arc<dyn Codec>>,
    dialects: Vec<Dialect>,
    origin: Option<OriginPolicy>,
    cookie_name: Option<String>,
    expected: Expected,
    lifetime: Lifetime,
    sign_in_page: Option<String>,
    callbacks: Callbacks,
    clock: Arc<dyn Clock>,
    store: Option<Arc<dyn Store>>,
    session_ids: SessionIds,
    store_time_limit: Duration,
}

impl VerifierBuilder {
    fn new(secret: Option<Secret>, codecs: Vec<Arc<dyn Codec>>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            secret,
            codecs,
            // The two of today first: what stands first is tried first.
            dialects: vec![Dialect::V4, Dialect::V5, Dialect::V3],
            origin: None,
            cookie_name: None,
            expected: Expected::default(),
            lifetime: Lifetime::default(),
            sign_in_page: None,
            callbacks: Callbacks::new(Arc::clone(&clock)),
            clock,
            store: None,
            session_ids: SessionIds::default(),
            store_time_limit: Stores::TIME_LIMIT,
        }
    }

    /// How the ids of sessions stand in the store, at [`Auth::verifier_of`]; [`SessionIds::Raw`] where Node writes
    /// them, hashed by default.
    pub fn session_ids(mut self, ids: SessionIds) -> Self {
        self.session_ids = ids;
        self
    }

    /// How long one call of the store may take; 5 seconds by default. Then sessions are unavailable (503).
    pub fn store_time_limit(mut self, limit: Duration) -> Self {
        self.store_time_limit = limit;
        self
    }

    /// Reads the tokens of another codec too.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codecs.push(Arc::new(codec));
        self
    }

    /// Reads the cookies of these dialects only; of all by default.
    pub fn dialects(mut self, dialects: impl IntoIterator<Item = Dialect>) -> Self {
        self.dialects = dialects.into_iter().collect();
        self
    }

    /// Where the site is. Then only the cookies of its scheme are read: at https those with `__Secure-`, which
    /// no one on the network can plant. By default those of both schemes are.
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The name of the session cookie, where the site has given it another one
    /// (`cookies.sessionToken.name`, prefix included).
    pub fn session_cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = Some(name.into());
        self
    }

    /// Tokens count only if their `iss` is this text (RFC 7519 section 4.1.1).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.expected.issuer = Some(issuer.into());
        self
    }

    /// Tokens count only if their `aud` is this text or a list with it (RFC 7519 section 4.1.3). Say it
    /// whenever the issuer makes tokens for other services too, or theirs open this one.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expected.audience = Some(audience.into());
        self
    }

    /// How long sessions live at the site. A verifier renews none; it looks at `max_age` where a dialect
    /// counts from `iat` (v3), and at the absolute limit.
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Where guards send people who open a page and are not signed in: the URL of the site's sign-in page. It
    /// is given `callbackUrl`, which leads back if [`origin`](Self::origin) is set. Without it they get 401.
    pub fn sign_in_page(mut self, url: impl Into<String>) -> Self {
        self.sign_in_page = Some(url.into());
        self
    }

    /// The `session` callback: what handlers see. The site's own is not known here.
    pub fn on_session<F>(mut self, callback: impl Fn(SessionContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Session, BoxError>> + Send + 'static,
    {
        self.callbacks.session = Some(boxed(callback));
        self
    }

    /// Where the time comes from; the system by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self.callbacks.clock = Arc::clone(&self.clock);
        self
    }

    /// Judges the configuration.
    ///
    /// # Errors
    ///
    /// All problems at once, each with its remedy: a weak secret, no dialect, a cookie name that is none.
    pub fn build(self) -> Result<Auth, ConfigError> {
        let mut problems = ConfigError::none();
        let weak = self.secret.iter().flat_map(Secret::problems);
        weak.for_each(|(problem, remedy)| problems.add(problem, remedy));
        let names = CookieNames::new(Dialect::default().rules(), &self.cookies(), true);
        names.check().unwrap_or_else(|error| problems.append(error));
        let profiles = [false, true].map(|https| self.profile(https));
        problems.into_result()?;
        let [Some(http), Some(https)] = profiles else {
            return Err(ConfigError::one(
                "a verifier that reads no dialect reads nothing",
                "name one in `dialects`, or leave it out to read all of them",
            ));
        };
        let stores =
            self.store.map(|store| Stores::new(store, None, self.store_time_limit, Arc::clone(&self.clock)));
        let place = match &stores {
            Some(stores) => Place::Store(Rows { stores: stores.clone(), ids: self.session_ids, limit: None }),
            None => Place::Token(None),
        };
        let settings = Settings {
            rules: Dialect::default().rules(),
            strategy: Strategy::new(http, https, self.lifetime, place).expecting(self.expected),
            stores,
            linking: LinkingPolicy::default(),
            token_seal: TokenSeal::default(),
            credentials_users: CredentialsUsers::default(),
            describe_client: None,
            callbacks: self.callbacks,
            renew_on_read: false,
            bearer_sessions: true,
            sign_in_page: self.sign_in_page,
            site: None,
            origin: self.origin,
            clock: self.clock,
        };
        Ok(Auth { settings: Arc::new(settings) })
    }

    /// What is read at a scheme; without an origin at either, those of https first.
    fn profile(&self, https: bool) -> Option<Profile> {
        let schemes: &[bool] = match self.origin {
            Some(_) => &[https],
            None => &[true, false],
        };
        let mut profile = None;
        for scheme in schemes {
            for dialect in &self.dialects {
                self.read_too(&mut profile, *dialect, *scheme);
            }
        }
        profile
    }

    fn read_too(&self, profile: &mut Option<Profile>, dialect: Dialect, https: bool) {
        let rules = dialect.rules();
        let names = CookieNames::new(rules, &self.cookies(), https);
        let name = names.session_token.name.clone();
        let own = self.secret.iter().map(|secret| codec::of_format(rules.token, secret, &name));
        for codec in own.chain(self.codecs.iter().cloned()) {
            match profile {
                Some(profile) => profile.accept(names.session_token.clone(), rules, codec),
                None => *profile = Some(Profile::new(names.clone(), rules, codec)),
            }
        }
    }

    fn cookies(&self) -> CookiePolicy {
        let renamed = self.cookie_name.iter().map(|name| {
            // Only read here, so a prefix promises nothing that would have to be kept.
            (CookieKind::SessionToken, CookieOptions::new().name(name).secure(true))
        });
        CookiePolicy { secure: None, overrides: renamed.collect() }
    }
}
