//! [`Auth`]: everything that an application decided, shared by the layer, the guards and the endpoints.

mod builder;
mod context;
mod csrf;
mod sessions;
mod site;
mod verifier;
mod watch;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

pub use self::{
    builder::AuthBuilder,
    context::{AuthContext, SignInError, Token},
    verifier::VerifierBuilder,
    watch::SessionWatch,
};
pub(crate) use self::{
    context::Resolved,
    csrf::{CsrfCheck, CsrfSecrets},
    sessions::{Renewal, Started, Visit},
    site::Site,
};
use crate::{
    callbacks::Callbacks,
    clock::{Clock, Timestamp},
    dialect::Rules,
    head::Head,
    origin::{Origin, OriginPolicy},
    secret::Secret,
    session::JwtStrategy,
};

/// A configured authentication: build one, clone it wherever it is needed.
///
/// ```
/// use portcullis::{Auth, OriginPolicy, Secret};
///
/// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
///     .origin(OriginPolicy::fixed("https://app.example")?)
///     .build()?;
/// # let _ = auth;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Auth {
    pub(crate) settings: Arc<Settings>,
}

/// What was decided.
pub(crate) struct Settings {
    pub(crate) rules: &'static Rules,
    pub(crate) strategy: JwtStrategy,
    pub(crate) callbacks: Callbacks,
    pub(crate) renew_on_read: bool,
    /// A token in `Authorization: Bearer` is a session for every request, and not only for gRPC.
    pub(crate) bearer_sessions: bool,
    /// Where guards send whoever is not signed in: a path of this site, or a URL.
    pub(crate) sign_in_page: Option<String>,
    /// None: a verifier, which writes nothing and has no endpoints.
    pub(crate) site: Option<Arc<Site>>,
    /// None: a verifier that reads the cookies of both schemes.
    origin: Option<OriginPolicy>,
    clock: Arc<dyn Clock>,
}

impl Auth {
    /// Begins a configuration; only the secret has no default.
    pub fn builder(secret: Secret) -> AuthBuilder {
        AuthBuilder::new(secret)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.settings.clock.now().into()
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        self.settings.clock.sleep(duration).await;
    }

    /// For the log, where [`origin`](Self::origin) finds none.
    pub(crate) const UNKNOWN_ORIGIN: &str = "the origin of a request is unknown: its Host is not in the list, or it \
                                             came without a PeerAddr or not through a listed proxy (see OriginPolicy)";

    /// The site's origin for this request, if anybody who may has said it.
    pub(crate) fn origin(&self, request: Head<'_>) -> Option<Cow<'_, Origin>> {
        self.settings.origin.as_ref()?.resolve(request)
    }

    /// Whether the site is at https for this request; none if nobody who may has said it.
    pub(crate) fn scheme(&self, request: Head<'_>) -> Option<bool> {
        match &self.settings.origin {
            // Its two profiles are one.
            None => Some(true),
            Some(policy) => policy.resolve(request).map(|origin| origin.is_https()),
        }
    }

    /// The same; where it cannot be known, as if it were.
    pub(crate) fn is_https(&self, request: Head<'_>) -> bool {
        self.scheme(request).unwrap_or(true)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("dialect", &self.settings.rules.name)
            .field("origin", &self.settings.origin)
            .field("site", &self.settings.site)
            .field("callbacks", &self.settings.callbacks)
            .finish_non_exhaustive()
    }
}
