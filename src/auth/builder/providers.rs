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

/// What is set for all of them.
#[derive(Default)]
pub(super) struct OAuthOptions {
    http_client: Option<Arc<dyn HttpClient>>,
    native_clients: bool,
}

impl AuthBuilder {
    /// What asks providers: a [`HyperClient`](crate::http_client::HyperClient) by default.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.oauth.http_client = Some(Arc::new(client));
        self
    }

    /// Whether programs that are no browsers may sign in at providers: no unless set.
    ///
    /// Such a program begins the sign-in and keeps its checks (`state`, PKCE, `nonce`); the user signs in at the provider
    /// in their own browser; and this site passes what the provider says on to the program, which listens on 127.0.0.1 and
    /// comes back with it (RFC 8252). The session is the program's. Providers need no other redirect URI than
    /// `/api/auth/callback/ID`. [`Client::sign_in_native`](https://docs.rs/portcullis/latest/portcullis/client/struct.Client.html#method.sign_in_native)
    /// is such a program's part.
    ///
    /// Leave it off where there are none: whoever listens on that port of the user's machine, be it for another user of
    /// that machine, is taken for the program that the user signs in with, so a sign-in that a stranger has begun
    /// can end there.
    ///
    /// ```
    /// use portcullis::{Auth, OriginPolicy, Secret, preset::GitHub};
    ///
    /// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
    ///     .origin(OriginPolicy::fixed("https://app.example")?)
    ///     .provider(GitHub::new("id", "secret"))
    ///     .native_clients(true)
    ///     .build()?;
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn native_clients(mut self, accept: bool) -> Self {
        self.oauth.native_clients = accept;
        self
    }

    /// `names` are those at http and at https.
    pub(super) fn oauth_site(&self, names: [&CookieNames; 2], problems: &mut ConfigError) -> OAuthSite {
        OAuthSite {
            clients: self.oauth_clients(problems),
            checks: Checks::new(self.dialect.rules(), &self.secret, names),
            used: UsedStates::default(),
            turns: Turns::default(),
            native_clients: self.oauth.native_clients,
        }
    }

    /// A client for each provider that is asked.
    fn oauth_clients(&self, problems: &mut ConfigError) -> Vec<Arc<OAuthClient>> {
        let providers: Vec<&Arc<OAuth>> = self.providers.iter().filter_map(asked).collect();
        if providers.is_empty() {
            return Vec::new();
        }
        // One of our own reads the certificates of the system, so it is made only where it is asked for.
        let http = match &self.oauth.http_client {
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
        let rules = self.dialect.rules();
        let made = providers.into_iter().map(|provider| {
            OAuthClient::new(Arc::clone(provider), rules, Arc::clone(&http), Arc::clone(&self.clock))
                .map(Arc::new)
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
