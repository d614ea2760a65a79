//! Users and accounts.

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    RedisStore,
    claim::{DEAD_FOR, Found, Name, announced},
    record::{self, DEAD},
    script,
};
use crate::{
    store::{Result, SessionStore, StoreError, StoreErrorKind, UserChange, UserStore},
    user::{Account, ProviderTokens, User},
};

/// How often a user is begun anew whom somebody has given up while they were being made.
const ATTEMPTS: u32 = 5;

#[async_trait]
impl UserStore for RedisStore {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        let (mut user, account) = (user.clone(), account.cloned());
        self.to_the_end(|store| async move {
            for _ in 0..ATTEMPTS {
                user.id = Uuid::new_v4().to_string();
                if store.make_user(&user, account.as_ref()).await? {
                    return Ok(user);
                }
            }
            Err(StoreError::unavailable("a user was given up by others each time they were being made"))
        })
        .await
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        Ok(match self.find_user(id).await? {
            Found::User(user, _) => Some(*user),
            Found::Dead | Found::Missing => None,
        })
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        self.user_named(Name::Email(email)).await
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        self.user_named(Name::Account(provider, provider_account_id)).await
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>> {
        let id = id.to_owned();
        self.to_the_end(|store| async move {
            match change.email.clone() {
                Some(email) => store.update_with_email(&id, &email, &change).await,
                None => Ok(store.apply(&id, &change).await?.map(|(_, user, _)| user)),
            }
        })
        .await
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.to_the_end(|store| async move {
            // First of all, so that nobody is signed in any more.
            let user = store.take_user(&id).await?;
            store.end_sessions_of(&id, None).await?;
            // Some may be given other tokens meanwhile.
            while !store.drop_accounts(&id).await? {}
            if let Some(email) = user.as_ref().and_then(|user| user.email.as_deref()) {
                store.release(Name::Email(email), &id).await?;
            }
            let mut rest = vec![store.keys.user_accounts(&id)];
            rest.extend(store.keys.last_account(&id));
            rest.extend(store.keys.last_session(&id));
            store.delete(&rest).await?;
            Ok(user.is_some())
        })
        .await
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        let (id, account) = (user_id.to_owned(), account.clone());
        self.to_the_end(|store| async move {
            let Found::User(..) = store.find_user(&id).await? else {
                return Err(StoreError::conflict("no such user"));
            };
            store.list_account(&id, &account, "NX").await?;
            let text = record::text(record::account_record(&id, &account));
            store.claim(name(&account), &id, &text).await?;
            // It is linked, whatever comes of the rest. Once more: if it was being unlinked until now, it may have been taken from the list.
            _ = store.list_account(&id, &account, "GT").await;
            _ = store.note_last_account(&id, &account).await;
            Ok(())
        })
        .await
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        let (provider, id) = (provider.to_owned(), provider_account_id.to_owned());
        self.to_the_end(|store| async move {
            let key = store.keys.account(&provider, &id);
            loop {
                let Some(text) = store.get(&key).await? else { return Ok(false) };
                let account = record::record(&text).unwrap_or_default();
                let Some(user) = record::account_owner(&account, &provider, &id) else { return Ok(false) };
                let (list, member) = (store.keys.user_accounts(user), super::layout::pair(&provider, &id));
                let listed: Option<String> =
                    store.link.read(redis::cmd("ZSCORE").arg(&list).arg(&member)).await?;
                let was_somebodys = matches!(store.find_user(user).await?, Found::User(..));
                if !store.drop_unchanged(&key, &text).await? {
                    // It is gone, or has other tokens.
                    continue;
                }
                if let Some(score) = listed {
                    store.link.run::<()>(script::TAKE_OUT.key(&list).arg(&member).arg(score)).await?;
                }
                if let Some(last) = store.keys.last_account(user) {
                    store.drop_unchanged(&last, &key).await?;
                }
                return Ok(was_somebodys);
            }
        })
        .await
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        let key = self.keys.account(provider, provider_account_id);
        loop {
            let Some(old) = self.get(&key).await? else { return Ok(false) };
            let mut record = record::record(&old).unwrap_or_default();
            let owner = record::account_owner(&record, provider, provider_account_id);
            let Some(user) = owner else { return Ok(false) };
            let is_somebodys = matches!(self.find_user(user).await?, Found::User(..));
            if !is_somebodys || !record::account(&record)?.tokens.are_those_of(before) {
                return Ok(false);
            }
            record::set_tokens(&mut record, after);
            if self.swap(&key, &old, &record::text(record), None).await? {
                return Ok(true);
            }
        }
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        let Found::User(..) = self.find_user(user_id).await? else { return Ok(Vec::new()) };
        self.account_texts(user_id)
            .await?
            .iter()
            .map(|(_, text)| record::account(&record::record(text)?))
            .collect()
    }
}

fn name(account: &Account) -> Name<'_> {
    Name::Account(&account.provider, &account.provider_account_id)
}

impl RedisStore {
    /// Makes a user with the id that they have; `false` if somebody has given the id up meanwhile.
    async fn make_user(&self, user: &User, account: Option<&Account>) -> Result<bool> {
        let text = account.map(|account| record::text(record::account_record(&user.id, account)));
        let outcome = self.claim_and_write(user, account.zip(text.as_deref())).await;
        match &outcome {
            Ok(true) => {
                if let Some(account) = account {
                    // The user is there, whether Node is told of the account or not.
                    _ = self.note_last_account(&user.id, account).await;
                }
            }
            // What is left behind counts for nothing: it is removed for tidiness, as far as that works.
            Ok(false) => _ = self.give_names_back(user, account.zip(text.as_deref())).await,
            Err(error) if error.kind() == StoreErrorKind::Conflict => {
                _ = self.give_names_back(user, account.zip(text.as_deref())).await;
            }
            Err(_) => {}
        }
        outcome
    }

    async fn claim_and_write(&self, user: &User, account: Option<(&Account, &str)>) -> Result<bool> {
        if let Some((account, text)) = account {
            self.list_account(&user.id, account, "NX").await?;
            self.claim(name(account), &user.id, text).await?;
        }
        if let Some(email) = &user.email {
            self.claim(Name::Email(email), &user.id, &user.id).await?;
        }
        let (key, text) = (self.keys.user(&user.id), record::text(record::user_record(user)));
        // A cluster may be asked twice if the first answer is lost.
        Ok(self.put(&key, &text, None).await? || self.get(&key).await?.is_some_and(|found| found == text))
    }

    async fn give_names_back(&self, user: &User, account: Option<(&Account, &str)>) -> Result<()> {
        if let Some(email) = &user.email {
            self.release(Name::Email(email), &user.id).await?;
        }
        if let Some((account, text)) = account {
            self.release(name(account), text).await?;
            self.delete(&[self.keys.user_accounts(&user.id)]).await?;
        }
        Ok(())
    }

    /// Makes the change if it is for this user, with everything else as it is then. The user as they were, as they are, and the text of
    /// that.
    async fn apply(&self, id: &str, change: &UserChange) -> Result<Option<(User, User, String)>> {
        let key = self.keys.user(id);
        loop {
            let Found::User(before, old) = self.find_user(id).await? else { return Ok(None) };
            if !change.is_for(&before) {
                return Ok(None);
            }
            let mut record = record::record(&old)?;
            record::change_user(&mut record, change);
            let Some(after) = record::user(&record, id)? else { return Ok(None) };
            let new = record::text(record);
            if self.swap(&key, &old, &new, None).await? {
                return Ok(Some((*before, after, new)));
            }
        }
    }

    /// The new address is claimed first, and is the user's for good when the user has it.
    async fn update_with_email(&self, id: &str, email: &str, change: &UserChange) -> Result<Option<User>> {
        match self.find_user(id).await? {
            Found::User(user, _) if user.email.as_deref() == Some(email) => {
                return Ok(self.apply(id, change).await?.map(|(_, user, _)| user));
            }
            Found::User(..) => {}
            Found::Dead | Found::Missing => return Ok(None),
        }
        let claim = announced(id);
        self.claim(Name::Email(email), id, &claim).await?;
        let Some((before, after, text)) = self.apply(id, change).await? else {
            self.release(Name::Email(email), &claim).await?;
            return Ok(None);
        };
        let key = self.keys.email(email);
        if !self.swap(&key, &claim, id, None).await? && !self.leads_to(&key, id).await? {
            // Somebody thought that this call had died. They have the address now.
            let restored = record::text(record::user_record(&before));
            self.swap(&self.keys.user(id), &text, &restored, None).await?;
            return Err(StoreError::conflict("another user has taken the address meanwhile"));
        }
        if let Some(old) = before.email.as_deref().filter(|old| *old != email) {
            self.release(Name::Email(old), id).await?;
        }
        Ok(Some(after))
    }

    /// Whether another call of the same user holds the address.
    async fn leads_to(&self, key: &str, id: &str) -> Result<bool> {
        Ok(self.get(key).await?.is_some_and(|value| value.split('\n').next() == Some(id)))
    }

    /// Removes a user, so that nobody comes to be under this id any more.
    async fn take_user(&self, id: &str) -> Result<Option<User>> {
        let key = self.keys.user(id);
        loop {
            let Found::User(user, text) = self.find_user(id).await? else { return Ok(None) };
            if self.swap(&key, &text, DEAD, None).await? {
                self.link.send::<()>(redis::cmd("PEXPIRE").arg(&key).arg(DEAD_FOR)).await?;
                return Ok(Some(*user));
            }
        }
    }

    /// Puts an account at the end of the list of its user's; with `NX` only if it is not in it.
    async fn list_account(&self, user: &str, account: &Account, mode: &str) -> Result<()> {
        let member = super::layout::pair(&account.provider, &account.provider_account_id);
        self.link.run(script::APPEND.key(self.keys.user_accounts(user)).arg(member).arg(mode)).await
    }

    /// Tells Node which account was the last of its user.
    async fn note_last_account(&self, user: &str, account: &Account) -> Result<()> {
        let Some(last) = self.keys.last_account(user) else { return Ok(()) };
        self.set(&last, &self.keys.account(&account.provider, &account.provider_account_id)).await
    }

    /// Removes the accounts of a user. Says whether nobody came between.
    async fn drop_accounts(&self, user: &str) -> Result<bool> {
        let mut all = true;
        for (key, text) in self.account_texts(user).await? {
            all &= self.drop_unchanged(&key, &text).await?;
        }
        Ok(all)
    }

    /// The keys and texts of the accounts of a user, those that were linked first in front. The list may name
    /// more, which are not theirs.
    async fn account_texts(&self, user: &str) -> Result<Vec<(String, String)>> {
        let list: Vec<String> =
            self.link.read(redis::cmd("ZRANGE").arg(self.keys.user_accounts(user)).arg(0).arg(-1)).await?;
        let mut keys: Vec<String> = list
            .iter()
            .filter_map(|member| super::layout::split(member))
            .map(|(provider, id)| self.keys.account(&provider, id))
            .collect();
        if let Some(last) = self.keys.last_account(user) {
            keys.extend(self.get(&last).await?.filter(|key| !keys.contains(key)));
        }
        let texts = self.get_all(&keys).await?;
        let theirs = |text: &String| {
            record::record(text).is_ok_and(|it| it.get("userId").and_then(|id| id.as_str()) == Some(user))
        };
        Ok(keys.into_iter().zip(texts).filter_map(|(key, text)| Some((key, text.filter(theirs)?))).collect())
    }
}
