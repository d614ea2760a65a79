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
    cookie::CookieNames,
    cross_site::CrossSite,
    dialect::Rules,
    mailed::{AskedCookie, Sources},
    pages::{Pages, Style},
    provider::{Email, Provider},
    secret::Secret,
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
    pub(crate) mail: MailSite,
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
    /// Whether sign-ins may be passed on to programs on the user's own machine.
    pub(crate) native_clients: bool,
}

#[cfg(feature = "oauth")]
impl OAuthSite {
    pub(crate) fn client(&self, id: &str) -> Option<&Arc<OAuthClient>> {
        self.clients.iter().find(|client| client.provider.id == id)
    }
}

/// What a site needs for sign-ins by mail.
pub(crate) struct MailSite {
    pub(crate) asked: AskedCookie,
    /// What each provider has for itself, by its id.
    providers: Vec<(String, MailProvider)>,
}

/// What one provider has for itself.
pub(crate) struct MailProvider {
    pub(crate) sources: Sources,
    /// What its tokens are hashed with, if that is not what everything is.
    secrets: Option<CsrfSecrets>,
}

impl MailSite {
    /// `names` are those at http and at https.
    pub(crate) fn new(
        providers: &[Provider],
        rules: &Rules,
        secret: &Secret,
        names: [&CookieNames; 2],
    ) -> Self {
        let providers = providers.iter().filter_map(|provider| match provider {
            Provider::Email(email) => {
                let secrets = email.own_secret().map(|secret| CsrfSecrets::new(secret, rules));
                Some((email.id().to_owned(), MailProvider { sources: Sources::default(), secrets }))
            }
            _ => None,
        });
        Self { asked: AskedCookie::new(rules, secret, names), providers: providers.collect() }
    }

    pub(crate) fn provider(&self, email: &Email) -> Option<&MailProvider> {
        self.providers.iter().find(|(id, _)| id == email.id()).map(|(_, provider)| provider)
    }
}

impl Site {
    /// What the tokens of a provider's links are stored as: the first one to write, all of them to find it by
    /// (`docs/protocol.md` section 8).
    pub(crate) fn link_hashes(&self, email: &Email, token: &str) -> impl Iterator<Item = String> {
        let own = self.mail.provider(email).and_then(|provider| provider.secrets.as_ref());
        own.unwrap_or(&self.csrf).hashes(token)
    }

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
