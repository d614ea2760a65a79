//! What was decided, in words for who runs the application.

use std::fmt;

use super::Auth;
#[cfg(feature = "oauth")]
use crate::provider::OAuth;
use crate::{account::LinkingPolicy, provider::Provider, session::SessionIds};

/// What an [`Auth`] was configured to do where security and compatibility pull apart, and what is missing in its
/// store. Made by [`Auth::startup_report`]; printed as a list. It holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartupReport {
    /// What was decided.
    pub decisions: Vec<String>,
    /// What somebody should look at: risks that were chosen, and what the tables of the store lack.
    pub warnings: Vec<String>,
}

impl Auth {
    /// What was decided, to be printed or logged at the start. `build()` logs the warnings by itself.
    ///
    /// ```
    /// use portcullis::{Auth, OriginPolicy, Secret, SessionIds, store::MemoryStore};
    ///
    /// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
    ///     .origin(OriginPolicy::fixed("https://app.example")?)
    ///     .store(MemoryStore::new())
    ///     .session_ids(SessionIds::Raw)
    ///     .build()?;
    /// assert!(auth.startup_report().to_string().contains("raw"));
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn startup_report(&self) -> StartupReport {
        let (mut decisions, mut warnings) = (Vec::new(), Vec::new());
        let strategy = &self.settings.strategy;
        match strategy.rows() {
            Some(rows) => {
                decisions.push("sessions live in the store".to_owned());
                match rows.ids {
                    SessionIds::Hashed => decisions.push("the ids of sessions are hashed in the store".to_owned()),
                    SessionIds::Raw => warnings.push(
                        "the ids of sessions stand raw in the store, as Node shares them: whoever reads it, a \
                         backup of it or a log of its queries can sign in as everybody"
                            .to_owned(),
                    ),
                }
                decisions.push(match rows.limit {
                    Some(limit) => format!("a user may have {limit} sessions at once"),
                    None => "a user may have any number of sessions at once".to_owned(),
                });
            }
            None => {
                decisions.push("sessions live in tokens".to_owned());
                match strategy.revocations() {
                    Some(revocations) => decisions.push(revocations.describe()),
                    None => warnings.push(
                        "tokens cannot be ended before they expire: a copy of a cookie outlives the sign-out \
                         (`.revocation(..)` ends it)"
                            .to_owned(),
                    ),
                }
            }
        }
        let lifetime = strategy.lifetime();
        decisions.push(format!(
            "a session ends {} s after it was last renewed, {}",
            lifetime.max_age.as_secs(),
            match lifetime.absolute {
                Some(limit) => format!("and {} s after the sign-in at the latest", limit.as_secs()),
                None => "with no limit counted from the sign-in".to_owned(),
            }
        ));
        if self.settings.stores.is_some() && self.settings.linking == LinkingPolicy::Dangerous {
            warnings.push(
                "accounts are linked by e-mail address alone: whoever can enter an address at a provider is its user"
                    .to_owned(),
            );
        }
        warnings.extend(self.providers_that_link());
        warnings.extend(self.bare_ids());
        #[cfg(feature = "oauth")]
        warnings.extend(self.unsaid_upstreams());
        let providers = self.settings.site.iter().flat_map(|site| &site.providers);
        decisions.extend(providers.clone().flat_map(|provider| match provider {
            Provider::Email(email) => email.report(),
            #[cfg(feature = "oauth")]
            Provider::OAuth(provider) => self.to_register(provider),
            Provider::Credentials(_) => Vec::new(),
        }));
        warnings.extend(providers.flat_map(|provider| match provider {
            Provider::Email(email) => email.mailer().report(),
            _ => Vec::new(),
        }));
        warnings.extend(self.settings.stores.iter().flat_map(|stores| stores.report()));
        StartupReport { decisions, warnings }
    }

    /// Those whose word is taken for whose an address is.
    fn providers_that_link(&self) -> impl Iterator<Item = String> {
        let providers = self.settings.site.iter().flat_map(|site| &site.providers);
        let dangerous = providers.filter(|provider| {
            self.settings.stores.is_some() && provider.linking() == Some(LinkingPolicy::Dangerous)
        });
        dangerous.map(|provider| {
            let id = provider.id();
            format!(
                "{id}: its accounts are linked by e-mail address alone: whoever can enter an address there is its \
                 user"
            )
        })
    }

    /// Sessions that cannot say which one at a provider they were begun with.
    #[cfg(feature = "oauth")]
    fn unsaid_upstreams(&self) -> impl Iterator<Item = String> {
        let rows = self.settings.strategy.rows();
        let is_lost = rows.is_some_and(|rows| !rows.stores.keep_data());
        let providers = self.settings.site.iter().flat_map(|site| &site.providers);
        providers.filter(move |provider| is_lost && provider.has_federated_logout()).map(|provider| {
            let id = provider.id();
            format!(
                "{id}: sessions have no data in this store, so none says which one at the provider it was begun with: \
                 whoever signs out here is not led to the provider, and a sign-out there ends all sessions of the \
                 user; add a column `data` for text to the table of sessions (`SqlOptions::complete(true)` does)"
            )
        })
    }

    /// Without a store the user's id is the one at the provider, in the dialects that say so.
    fn bare_ids(&self) -> Option<String> {
        let providers = self.settings.site.iter().flat_map(|site| &site.providers);
        let several =
            providers.filter(|provider| matches!(provider.kind(), "oauth" | "oidc")).nth(1).is_some();
        let bare = several && self.settings.stores.is_none() && !self.settings.rules.random_user_id;
        bare.then(|| {
            "the id of a user is the bare one at the provider, as next-auth writes it without a database: people to \
             whom two providers give the same id are one user (`.store(..)` tells them apart)"
                .to_owned()
        })
    }

    /// What a provider has to know of this site, under each of its origins.
    #[cfg(feature = "oauth")]
    fn to_register(&self, provider: &OAuth) -> Vec<String> {
        let (Some(site), Some(policy)) = (&self.settings.site, &self.settings.origin) else {
            return Vec::new();
        };
        let mut origins: Vec<&str> = policy.known().iter().map(|origin| origin.as_str()).collect();
        if origins.is_empty() {
            origins.push("{origin}"); // Each request says it.
        }
        let (id, base_path) = (&provider.id, &site.base_path);
        let mut lines = Vec::new();
        if site.oauth.native_clients {
            lines.push(format!(
                "{id}: programs that are no browsers may sign in, and are answered at 127.0.0.1"
            ));
        }
        for origin in origins {
            lines.push(format!("{id}: its redirect URI is {origin}{base_path}/callback/{id}"));
            if provider.federated_logout {
                lines.push(format!("{id}: its post-logout redirect URI is {origin}"));
                lines.push(format!(
                    "{id}: its back-channel logout URL is {origin}{base_path}/backchannel-logout/{id}"
                ));
            }
        }
        lines
    }
}

impl fmt::Display for StartupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decisions.iter().try_for_each(|decision| writeln!(f, "- {decision}"))?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "- WARNING: {warning}"))
    }
}
