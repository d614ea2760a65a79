use std::fmt;
#[cfg(feature = "oauth")]
use std::sync::Arc;

use super::CsrfSecrets;
#[cfg(feature = "oauth")]
use crate::{
    auth::provider_tokens::Turns,
    oauth::{Checks, OAuthClient, UsedStates},
};
use crate::{
    cross_site::CrossSite,
    pages::{Pages, Style},
    provider::Provider,
};

/// What only a site has that signs people in: endpoints, and what stands behind them. A verifier has none.
pub(crate) struct Site {
    /// The path of the endpoints as the outside sees it.
    pub(crate) base_path: String,
    /// The same path as requests here have it: without what an outer router has stripped.
    pub(crate) local_path: String,
    pub(crate) csrf: CsrfSecrets,
    pub(crate) cross_site: CrossSite,
    pub(crate) providers: Vec<Provider>,
    #[cfg(feature = "oauth")]
    pub(crate) oauth: OAuthSite,
    pub(crate) pages: Pages,
    pub(crate) style: Style,
    pub(crate) body_limit: usize,
}

/// What a site needs for sign-ins at providers.
#[cfg(feature = "oauth")]
pub(crate) struct OAuthSite {
    pub(crate) clients: Vec<Arc<OAuthClient>>,
    pub(crate) checks: Checks,
    pub(crate) used: UsedStates,
    pub(crate) turns: Turns,
}

#[cfg(feature = "oauth")]
impl OAuthSite {
    pub(crate) fn client(&self, id: &str) -> Option<&Arc<OAuthClient>> {
        self.clients.iter().find(|client| client.provider.id == id)
    }
}

impl Site {
    /// What follows the base path in `path`, if it is one of the endpoints: compared byte by byte, so that
    /// no other spelling of a path reaches an endpoint.
    pub(crate) fn endpoint<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.local_path.as_str())?;
        match rest.strip_prefix('/') {
            Some(action) => Some(action),
            None => rest.is_empty().then_some(""),
        }
    }

    pub(crate) fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id() == id)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("base_path", &self.base_path)
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}
