use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    store::{Result, UserChange, UserStore},
    user::{Account, ProviderTokens, User},
};

#[async_trait]
impl UserStore for MemoryStore {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        self.write().add_user(user.clone(), account)
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        Ok(self.users.read(id, |user| User::clone(user)))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let user = self.write().user_by_email(email);
        Ok(user.as_deref().cloned())
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        let user = self.write().user_by_account(provider, provider_account_id);
        Ok(user.as_deref().cloned())
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>> {
        self.write().change_user(id, change)
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        Ok(self.write().remove_user(id))
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        self.write().add_account(user_id, account)
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        Ok(self.write().remove_account(provider, provider_account_id))
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        Ok(self.write().replace_tokens(provider, provider_account_id, before, after))
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        Ok(self.write().accounts_of(user_id))
    }
}
