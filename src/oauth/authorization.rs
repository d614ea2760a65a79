//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).

use url::Url;

use super::{
    checks::{Transaction, sha256},
    client::{Endpoint, OAuthClient},
    error::OAuthError,
};
use crate::provider::{Protocol, is_reserved};

/// How many bytes of parameters a client may add.
const MAX_ADDED: usize = 2048;

impl OAuthClient {
    /// Where the browser is sent. `added` are parameters that the client of the site asks for, such as `prompt`.
    pub(crate) async fn authorization_url<'a>(
        &self,
        transaction: &Transaction,
        added: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<String, OAuthError> {
        let provider = &self.provider;
        let endpoint = self.required(Endpoint::Authorization).await?;
        let mut url = Url::parse(&endpoint).map_err(|error| {
            OAuthError::invalid(format!("its authorization endpoint is no URL ({error})"))
        })?;
        let mut params: Vec<(String, String)> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let mut set = |name: &str, value: &str| match params.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => params.push((name.to_owned(), value.to_owned())),
        };
        set(provider.quirks.client_id, &provider.client_id);
        if !provider.scope.is_empty() {
            set("scope", &self.separated(&provider.scope));
        } else if provider.protocol == Protocol::Oidc {
            set("scope", "openid");
        }
        set("response_type", "code");
        set("redirect_uri", &transaction.redirect_uri);
        for (name, value) in &provider.authorization_params {
            set(name, value);
        }
        let mut budget = MAX_ADDED;
        let is_bound = |name: &str| is_reserved(name) || name == provider.quirks.client_id;
        for (name, value) in added.filter(|(name, _)| !is_bound(name)) {
            let Some(rest) = budget.checked_sub(name.len() + value.len()) else { break };
            budget = rest;
            set(name, value);
        }
        if provider.form_post {
            set("response_mode", "form_post");
        }
        set("state", &transaction.state);
        if let Some(verifier) = &transaction.code_verifier {
            set("code_challenge", &sha256(verifier));
            set("code_challenge_method", "S256");
        }
        if let Some(nonce) = &transaction.nonce {
            set("nonce", nonce);
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        // A blank as `%20`, which is one everywhere; as `+` it is one to those that read queries as forms.
        url.set_query(Some(&query.replace('+', "%20")));
        Ok(url.into())
    }

    /// Whether an answer may be of this provider (RFC 9207 section 2.4): one that names another issuer is not, nor one
    /// that names none although the provider says that it always does.
    pub(crate) async fn judge_issuer(&self, named: Option<&str>) -> Result<(), OAuthError> {
        let metadata = self.metadata().await?;
        let always = metadata.is_some_and(|metadata| metadata.authorization_response_iss_parameter_supported);
        let expected = self.issuer().await?;
        match named {
            Some(named)
                if !expected.is_empty() && !self.provider.quirks.tenant_issuer && named != expected =>
            {
                Err(OAuthError::invalid("it comes from another issuer"))
            }
            None if always => {
                Err(OAuthError::invalid("it does not name its issuer, which this provider always does"))
            }
            _ => Ok(()),
        }
    }

    fn separated(&self, scope: &str) -> String {
        match self.provider.quirks.scope_separator {
            ' ' => scope.to_owned(),
            separator => scope.replace(' ', &separator.to_string()),
        }
    }
}
