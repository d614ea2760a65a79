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

/// A sealed token that does not open: made with a secret that was taken away, for another account, or as
/// another of its tokens.
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
        let seal =
            |name, text: &Option<String>| text.as_ref().map(|text| self.sealed(text, &place(name, account)));
        let tokens = ProviderTokens {
            access_token: seal("access_token", &tokens.access_token),
            refresh_token: seal("refresh_token", &tokens.refresh_token),
            id_token: seal("id_token", &tokens.id_token),
            ..tokens.clone()
        };
        Account { tokens, ..account.clone() }
    }

    /// The tokens of an account that was stored, sealed or not.
    #[cfg(feature = "oauth")]
    pub(crate) fn open(&self, account: &Account) -> Result<ProviderTokens, NotOpened> {
        let tokens = &account.tokens;
        let open = |name, text: &Option<String>| {
            text.as_ref().map(|text| self.opened(text, &place(name, account))).transpose()
        };
        Ok(ProviderTokens {
            access_token: open("access_token", &tokens.access_token)?,
            refresh_token: open("refresh_token", &tokens.refresh_token)?,
            id_token: open("id_token", &tokens.id_token)?,
            ..tokens.clone()
        })
    }

    fn sealed(&self, token: &str, place: &Value) -> String {
        let Some(codec) = &self.codec else { return token.to_owned() };
        // A token that was put into another row, or into another column, does not open there.
        let claims = json!({ "token": token, "of": place }).to_string();
        // Without random numbers nothing is stored, rather than the token as it is.
        codec.encode(claims.as_bytes()).map(|sealed| format!("{MARK}{sealed}")).unwrap_or_default()
    }

    #[cfg(feature = "oauth")]
    fn opened(&self, text: &str, place: &Value) -> Result<String, NotOpened> {
        let Some(sealed) = text.strip_prefix(MARK) else { return Ok(text.to_owned()) };
        let codec = self.codec.as_ref().ok_or(NotOpened)?;
        let opened = codec.decode(sealed).map_err(|_| NotOpened)?;
        let claims: Value = serde_json::from_slice(&opened.claims).map_err(|_| NotOpened)?;
        match claims["token"].as_str() {
            Some(token) if claims["of"] == *place => Ok(token.to_owned()),
            _ => Err(NotOpened),
        }
    }
}

/// Where a token belongs: to which account, and which of its tokens it is.
fn place(name: &str, account: &Account) -> Value {
    json!([account.provider, account.provider_account_id, name])
}

impl fmt::Debug for TokenSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.codec.is_some() { "TokenSeal(sealed)" } else { "TokenSeal(plain)" })
    }
}

#[cfg(all(test, feature = "oauth"))]
mod tests {
    use super::*;

    fn account(id: &str) -> Account {
        let mut account = Account::new("oauth", "acme", id);
        account.tokens.access_token = Some("access".to_owned());
        account.tokens.refresh_token = Some("refresh".to_owned());
        account.tokens.id_token = Some("id".to_owned());
        account
    }

    /// S44: a sealed token opens in its own place only.
    #[test]
    fn s44_a_sealed_token_has_one_place() {
        let seal = TokenSeal::new(&Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"), true);
        let sealed = seal.seal(&account("alice"));
        assert_eq!(seal.open(&sealed).unwrap(), account("alice").tokens);
        /// What was done to a row.
        type Move = (&'static str, fn(&mut Account));
        let moves: &[Move] = &[
            ("another account", |account| account.provider_account_id = "mallory".to_owned()),
            ("another provider", |account| account.provider = "other".into()),
            ("shown as an access token", |account| {
                account.tokens.access_token = account.tokens.refresh_token.clone();
            }),
            ("sent as a hint at the sign-out", |account| {
                account.tokens.id_token = account.tokens.refresh_token.clone();
            }),
            ("sent for a new one", |account| {
                account.tokens.refresh_token = account.tokens.access_token.clone();
            }),
        ];
        for (case, change) in moves {
            let mut moved = sealed.clone();
            change(&mut moved);
            assert!(seal.open(&moved).is_err(), "{case}");
        }
    }
}
