//! [`Auth`]: everything that an application decided, shared by the layer, the guards and the endpoints.

mod builder;
mod context;
mod csrf;
mod sessions;

use std::{borrow::Cow, fmt, sync::Arc};

pub use self::{
    builder::AuthBuilder,
    context::{AuthContext, SignInError, Token},
};
pub(crate) use self::{
    context::Resolved,
    csrf::{CsrfCheck, CsrfSecrets},
    sessions::{Renewal, Started, Visit},
};
use crate::{
    callbacks::Callbacks,
    clock::{Clock, Timestamp},
    cross_site::CrossSite,
    dialect::Rules,
    head::Head,
    origin::{Origin, OriginPolicy},
    pages::{Pages, Style},
    provider::Provider,
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
    pub(crate) csrf: CsrfSecrets,
    origin: OriginPolicy,
    /// The path of the endpoints as the outside sees it.
    pub(crate) base_path: String,
    /// The same path as requests here have it: without what an outer router has stripped.
    pub(crate) local_path: String,
    pub(crate) providers: Vec<Provider>,
    pub(crate) callbacks: Callbacks,
    pub(crate) pages: Pages,
    pub(crate) style: Style,
    pub(crate) cross_site: CrossSite,
    pub(crate) body_limit: usize,
    pub(crate) renew_on_read: bool,
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

    /// For the log, where [`origin`](Self::origin) finds none.
    pub(crate) const UNKNOWN_ORIGIN: &str = "the origin of a request is unknown: its Host is not in the list, or it \
                                             came without a PeerAddr or not through a listed proxy (see OriginPolicy)";

    /// The site's origin for this request, if anybody who may has said it.
    pub(crate) fn origin(&self, request: Head<'_>) -> Option<Cow<'_, Origin>> {
        self.settings.origin.resolve(request)
    }

    /// Whether the site is at https for this request; where it cannot be known, as if it were.
    pub(crate) fn is_https(&self, request: Head<'_>) -> bool {
        self.origin(request).is_none_or(|origin| origin.is_https())
    }

    /// What follows the base path in `path`, if it is one of the endpoints: compared byte by byte, so that
    /// no other spelling of a path reaches an endpoint.
    pub(crate) fn endpoint<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.settings.local_path.as_str())?;
        match rest.strip_prefix('/') {
            Some(action) => Some(action),
            None => rest.is_empty().then_some(""),
        }
    }

    pub(crate) fn provider(&self, id: &str) -> Option<&Provider> {
        self.settings.providers.iter().find(|provider| provider.id() == id)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("dialect", &self.settings.rules.name)
            .field("origin", &self.settings.origin)
            .field("base_path", &self.settings.base_path)
            .field("providers", &self.settings.providers)
            .field("callbacks", &self.settings.callbacks)
            .finish_non_exhaustive()
    }
}
