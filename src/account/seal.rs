//! Provider tokens as they are stored: as they are, which servers of the npm packages can read, or sealed.

use std::{fmt, sync::Arc};

use serde_json::{Value, json};

use crate::{
    codec::{Codec, JweGcm},
    secret::Secret,
    user::{Account, ProviderTokens},
};

/// What sealed texts begin with: no token of a provider does.
const MARK: &str = "portcullis:";

/// Seals the tokens of an account with the application's secret, if that was asked for, and opens them again.
#[derive(Clone, Default)]
pub(crate) struct TokenSeal {
    codec: Option<Arc<dyn Codec>>,
}

/// A sealed token that does not open: made with a secret that was taken away, or for another account.
#[cfg(feature = "oauth")]
#[derive(Debug)]
pub(crate) struct NotOpened;

impl TokenSeal {
    pub(crate) fn new(secret: &Secret, seals: bool) -> Self {
        let codec = || -> Arc<dyn Codec> { Arc::new(JweGcm::new(secret, "provider tokens")) };
        Self { codec: seals.then(codec) }
    }

    /// An account as it is stored.
    pub(crate) fn seal(&self, account: &Account) -> Account {
        let tokens = &account.tokens;
        let seal = |text: &Option<String>| text.as_ref().map(|text| self.sealed(text, account));
        let tokens = ProviderTokens {
            access_token: seal(&tokens.access_token),
            refresh_token: seal(&tokens.refresh_token),
            id_token: seal(&tokens.id_token),
            ..tokens.clone()
        };
        Account { tokens, ..account.clone() }
    }

    /// The tokens of an account that was stored, sealed or not.
    #[cfg(feature = "oauth")]
    pub(crate) fn open(&self, account: &Account) -> Result<ProviderTokens, NotOpened> {
        let tokens = &account.tokens;
        let open = |text: &Option<String>| text.as_ref().map(|text| self.opened(text, account)).transpose();
        Ok(ProviderTokens {
            access_token: open(&tokens.access_token)?,
            refresh_token: open(&tokens.refresh_token)?,
            id_token: open(&tokens.id_token)?,
            ..tokens.clone()
        })
    }

    fn sealed(&self, token: &str, account: &Account) -> String {
        let Some(codec) = &self.codec else { return token.to_owned() };
        // A row whose token was put into another row opens nothing there.
        let claims = json!({ "token": token, "of": owner(account) }).to_string();
        // Without random numbers nothing is stored, rather than the token as it is.
        codec.encode(claims.as_bytes()).map(|sealed| format!("{MARK}{sealed}")).unwrap_or_default()
    }

    #[cfg(feature = "oauth")]
    fn opened(&self, text: &str, account: &Account) -> Result<String, NotOpened> {
        let Some(sealed) = text.strip_prefix(MARK) else { return Ok(text.to_owned()) };
        let codec = self.codec.as_ref().ok_or(NotOpened)?;
        let opened = codec.decode(sealed).map_err(|_| NotOpened)?;
        let claims: Value = serde_json::from_slice(&opened.claims).map_err(|_| NotOpened)?;
        match claims["token"].as_str() {
            Some(token) if claims["of"] == owner(account) => Ok(token.to_owned()),
            _ => Err(NotOpened),
        }
    }
}

fn owner(account: &Account) -> Value {
    json!([account.provider, account.provider_account_id])
}

impl fmt::Debug for TokenSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.codec.is_some() { "TokenSeal(sealed)" } else { "TokenSeal(plain)" })
    }
}
