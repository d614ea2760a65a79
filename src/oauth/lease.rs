//! The right to use a refresh token, which one caller in all instances has at a time.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    clock::Timestamp,
    store::{LEASES, Result, StoreErrorKind, Stores, VerificationToken},
    user::Account,
};

/// A lease: a one-time token that stands for one version of an account's tokens. Who can create it has it.
pub(crate) struct Lease {
    hash: String,
}

impl Lease {
    /// How long it is good, whatever becomes of who has it: longer than a refresh may take.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

    /// Takes the lease for the tokens that this account has. `None` if somebody else has it.
    pub(crate) async fn take(stores: &Stores, account: &Account, now: Timestamp) -> Result<Option<Self>> {
        let hash = version(account);
        let row = VerificationToken::new(LEASES, &hash, now.plus(Self::LIFETIME));
        match stores.ask(stores.tokens.create_verification_token(&row)).await {
            Ok(()) => Ok(Some(Self { hash })),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the leases of those who never came back.
    pub(crate) async fn free(stores: &Stores, now: Timestamp) -> Result<()> {
        let expired = stores.tokens.delete_expired_verification_tokens(now, 1000);
        stores.ask(expired).await.map(drop)
    }

    /// Gives it back. If that fails it ends by itself.
    pub(crate) async fn end(self, stores: &Stores) {
        let _ = stores.ask(stores.tokens.use_verification_token(LEASES, &self.hash)).await;
    }
}

/// Another one after each refresh.
fn version(account: &Account) -> String {
    let tokens = &account.tokens;
    let mut hash = Sha256::new();
    for part in [
        Some(&account.provider),
        Some(&account.provider_account_id),
        tokens.refresh_token.as_ref(),
        tokens.access_token.as_ref(),
    ] {
        let text = part.map_or("", String::as_str);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
