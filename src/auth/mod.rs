//! [`Auth`]: everything that an application decided, shared by the layer, the guards and the endpoints.

mod administration;
mod admission;
mod builder;
mod context;
mod csrf;
#[cfg(feature = "oauth")]
mod federated_logout;
mod own_sessions;
#[cfg(feature = "oauth")]
mod provider_tokens;
mod report;
mod sessions;
mod site;
mod sweep;
mod verifier;
mod watch;

#[cfg(feature = "oauth")]
use std::future::Future;
use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc, time::Duration};

use http::{Extensions, HeaderMap};

#[cfg(feature = "oauth")]
pub use self::provider_tokens::{ProviderToken, ProviderTokenError, ProviderTokenErrorKind};
pub use self::{
    builder::AuthBuilder,
    context::{AuthContext, SignInError, Token},
    own_sessions::SessionInfo,
    report::StartupReport,
    sessions::CredentialsUsers,
    sweep::Sweep,
    verifier::VerifierBuilder,
    watch::SessionWatch,
};
pub(crate) use self::{
    context::Resolved,
    csrf::{CsrfCheck, CsrfSecrets},
    sessions::{NotStarted, Renewal, SignIn, Started, Visit},
    site::Site,
};
use crate::{
    account::{LinkingPolicy, TokenSeal},
    callbacks::Callbacks,
    clock::{Clock, Timestamp},
    dialect::Rules,
    head::Head,
    origin::{Origin, OriginPolicy},
    secret::Secret,
    session::{Client, Strategy},
    store::Stores,
    user::Account,
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
    pub(crate) strategy: Strategy,
    /// Users, and what else is kept; none where everything is in tokens.
    pub(crate) stores: Option<Stores>,
    pub(crate) linking: LinkingPolicy,
    pub(crate) token_seal: TokenSeal,
    pub(crate) credentials_users: CredentialsUsers,
    /// What is recorded of where a session is begun.
    pub(crate) describe_client: Option<DescribeClient>,
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

pub(crate) type DescribeClient = Arc<dyn Fn(&HeaderMap, &Extensions) -> Client + Send + Sync>;

impl Settings {
    /// The stores, if whoever signs in with this account is in them. With sessions in tokens those who sign in by
    /// credentials are not, as in Auth.js (`docs/protocol.md` section 9).
    pub(crate) fn stores_for(&self, account: &Account) -> Option<&Stores> {
        let outside = account.kind == "credentials" && self.strategy.rows().is_none();
        self.stores.as_ref().filter(|_| !outside)
    }
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

    /// What `future` gives, unless it takes longer than `limit`.
    #[cfg(feature = "oauth")]
    async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        crate::clock::within(&*self.settings.clock, limit, future).await
    }

    /// For the log, where [`origin`](Self::origin) finds none.
    pub(crate) const UNKNOWN_ORIGIN: &str = "the origin of a request is unknown: its Host is not in the list, or it \
                                             came without a PeerAddr or not through a listed proxy (see OriginPolicy)";

    /// The site's origin for this request, if anybody who may has said it.
    pub(crate) fn origin(&self, request: Head<'_>) -> Option<Cow<'_, Origin>> {
        self.settings.origin.as_ref()?.resolve(request)
    }

    /// Where a request comes from, if the server says it.
    pub(crate) fn source(&self, request: Head<'_>) -> Option<IpAddr> {
        self.settings.origin.as_ref()?.source(request)
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
