//! Providers of OAuth 2 and OpenID Connect, as a part of the configuration.

use std::sync::Arc;

use super::AuthBuilder;
use crate::{
    auth::{provider_tokens::Turns, site::OAuthSite},
    cookie::CookieNames,
    error::ConfigError,
    http_client::{HttpClient, HyperClient},
    oauth::{Checks, OAuthClient, UsedStates},
    provider::{OAuth, Provider},
};

impl AuthBuilder {
    /// What asks providers: a [`HyperClient`](crate::http_client::HyperClient) by default.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// `names` are those at http and at https.
    pub(super) fn oauth_site(&self, names: [&CookieNames; 2], problems: &mut ConfigError) -> OAuthSite {
        OAuthSite {
            clients: self.oauth_clients(problems),
            checks: Checks::new(self.dialect.rules(), &self.secret, names),
            used: UsedStates::default(),
            turns: Turns::default(),
        }
    }

    /// A client for each provider that is asked.
    fn oauth_clients(&self, problems: &mut ConfigError) -> Vec<Arc<OAuthClient>> {
        let providers: Vec<&Arc<OAuth>> = self.providers.iter().filter_map(asked).collect();
        if providers.is_empty() {
            return Vec::new();
        }
        providers.iter().for_each(|provider| provider.check(problems));
        // One of our own reads the certificates of the system, so it is made only where it is asked for.
        let http = match &self.http_client {
            Some(client) => Ok(Arc::clone(client)),
            None => HyperClient::new().map(|client| Arc::new(client) as Arc<dyn HttpClient>),
        };
        let http = match http {
            Ok(http) => http,
            Err(error) => {
                problems.append(error);
                return Vec::new();
            }
        };
        let made = providers.into_iter().map(|provider| {
            OAuthClient::new(Arc::clone(provider), Arc::clone(&http), Arc::clone(&self.clock)).map(Arc::new)
        });
        made.filter_map(|client| client.map_err(|error| problems.append(error)).ok()).collect()
    }
}

fn asked(provider: &Provider) -> Option<&Arc<OAuth>> {
    match provider {
        Provider::OAuth(oauth) => Some(oauth),
        Provider::Credentials(_) | Provider::Email(_) => None,
    }
}
