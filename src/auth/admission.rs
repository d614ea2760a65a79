//! Who signs in, by the rules of accounts (`docs/protocol.md` section 11).

use super::{Auth, CredentialsUsers, NotStarted};
use crate::{
    account::{self, Admitted, Change, LinkingPolicy},
    callbacks::Event,
    clock::Timestamp,
    provider::Provider,
    session::LiveSession,
    store::Stores,
    user::{Account, User},
};

/// Who signs in, and whether they are new.
pub(super) struct Admission {
    pub(super) user: User,
    pub(super) is_new: Option<bool>,
}

impl Auth {
    /// Who signs in, by the rules of accounts.
    pub(super) async fn admit(
        &self,
        user: User,
        account: &Account,
        link_to: Option<&str>,
        now: Timestamp,
    ) -> Result<Admission, NotStarted> {
        let Some(stores) = self.settings.stores_for(account) else {
            return Ok(Admission { user, is_new: None });
        };
        let kept = &self.settings.token_seal.seal(account);
        let linked = match link_to {
            Some(user_id) => account::admit_signed_in(stores, user_id, kept).await?,
            None => None,
        };
        // Whoever was signed in is nobody new.
        let by_address = linked.is_none();
        let admitted = match (linked, account.kind.as_ref()) {
            (Some(linked), _) => linked,
            (None, "email") => {
                account::admit_by_email(stores, &user, self.links_proved_addresses(), now).await?
            }
            (None, "credentials") if self.settings.credentials_users == CredentialsUsers::Stored => {
                account::admit_stored(stores, &user.id).await?
            }
            (None, _) => account::admit(stores, &user, kept, self.linking_of(account)).await?,
        };
        let is_new = match admitted.change {
            Change::Created { .. } => true,
            Change::Linked => by_address && self.settings.rules.linked_is_new,
            Change::Nothing | Change::Verified => false,
        };
        if admitted.change == Change::Nothing {
            self.keep_tokens(stores, &admitted.user.id, kept).await;
        }
        self.tell(&admitted, account).await;
        Ok(Admission { user: admitted.user, is_new: Some(is_new) })
    }

    async fn tell(&self, Admitted { user, change }: &Admitted, account: &Account) {
        let events = &self.settings.callbacks;
        let linked = || Event::LinkAccount { user: user.clone(), account: account.clone() };
        match change {
            Change::Nothing => {}
            Change::Verified => events.emit(Event::UpdateUser { user: user.clone() }).await,
            Change::Linked => events.emit(linked()).await,
            Change::Created { linked: with_account } => {
                events.emit(Event::CreateUser { user: user.clone() }).await;
                if *with_account {
                    events.emit(linked()).await;
                }
            }
        }
    }

    /// Links an account to the user of a session.
    pub(super) async fn link(&self, live: &LiveSession, account: Account) -> Result<(), NotStarted> {
        let Some(stores) = &self.settings.stores else { return Err(NotStarted::NoStore) };
        let Some(user) = self.user_of(live, stores).await? else { return Err(NotStarted::NotLinked) };
        let change = account::link(stores, &user.id, &self.settings.token_seal.seal(&account)).await?;
        self.tell(&Admitted { user, change }, &account).await;
        Ok(())
    }

    fn linking_of(&self, account: &Account) -> LinkingPolicy {
        #[cfg(feature = "oauth")]
        if let Some(client) =
            self.settings.site.as_ref().and_then(|site| site.oauth.client(&account.provider))
        {
            return client.provider.linking.unwrap_or(self.settings.linking);
        }
        let _ = account;
        self.settings.linking
    }

    /// Whether some account may be linked because its address was proved on both sides: then a proof here has to be of
    /// whoever has all of the user's other accounts (S38), whichever provider asks for it.
    fn links_proved_addresses(&self) -> bool {
        let providers = self.settings.site.iter().flat_map(|site| &site.providers);
        providers
            .filter_map(Provider::linking)
            .chain([self.settings.linking])
            .any(|policy| policy == LinkingPolicy::VerifiedOnBothSides)
    }

    /// Stores what a provider gave at a further sign-in: it may have given up what it gave before. If that fails the
    /// user is signed in all the same.
    async fn keep_tokens(&self, stores: &Stores, user_id: &str, account: &Account) {
        if account.tokens.access_token.is_none() {
            return;
        }
        let Ok(accounts) = stores.ask(stores.users.accounts_of(user_id)).await else { return };
        let (provider, id) = (&account.provider, &account.provider_account_id);
        let is_it = |known: &&Account| known.provider == *provider && known.provider_account_id == *id;
        if let Some(known) = accounts.iter().find(is_it) {
            let tokens = account.tokens.clone().or_kept(&known.tokens);
            let _ = stores.ask(stores.users.replace_tokens(provider, id, &known.tokens, &tokens)).await;
        }
    }
}
