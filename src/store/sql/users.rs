use std::borrow::Cow;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    SqlStore,
    backend::Backend,
    connection::again,
    fault::{Fault, Outcome},
    layout::{Table, Usable},
    statement::{Arg, Row},
    transaction::Transaction,
};
use crate::{
    store::{Result, UserChange, UserStore},
    user::{Account, ProviderTokens, User},
};

#[async_trait]
impl<B: Backend> UserStore for SqlStore<B> {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        Ok(again!(self.try_create_user(user, account))?)
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        nobody_if_unstorable(self.try_user(id).await)
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let found = async { first_user(self.read(self.users.by_email.get()?, &[email.into()]).await?) };
        nobody_if_unstorable(found.await)
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        let key = [provider.into(), provider_account_id.into()];
        let found = async { first_user(self.read(self.users.by_account.get()?, &key).await?) };
        nobody_if_unstorable(found.await)
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<Option<User>> {
        if self.user(id).await?.is_none() {
            return Ok(None);
        }
        Ok(again!(self.try_update_user(id, &change))?)
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        none_if_unstorable(again!(self.try_delete_user(id)))
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        Ok(again!(self.try_link_account(user_id, account))?)
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        let key = [provider.into(), provider_account_id.into()];
        let done = again!(async { self.write(self.users.delete_account.get()?, &key).await });
        Ok(none_if_unstorable(done)? > 0)
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        let key = [provider.into(), provider_account_id.into()];
        let old = [Arg::from(&before.refresh_token), Arg::from(&before.access_token)];
        let args = [&key[..], &token_args(after), &old].concat();
        match again!(async { self.write(self.users.replace_tokens.get()?, &args).await }) {
            // Either there is nothing to replace, or nothing to replace it by.
            Err(Fault::Unstorable) if !self.has_tokens(provider, provider_account_id, before).await? => {
                Ok(false)
            }
            outcome => Ok(outcome? > 0),
        }
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        let found = async {
            let id = usable(&self.layout.accounts)?.id("userId", user_id)?;
            let rows = self.read(self.users.accounts_of.get()?, &[id]).await?;
            rows.into_iter().map(account_of).collect()
        };
        none_if_unstorable(found.await)
    }
}

impl<B: Backend> SqlStore<B> {
    async fn try_create_user(&self, user: &User, account: Option<&Account>) -> Outcome<User> {
        let users = usable(&self.layout.users)?;
        let mut transaction = self.begin().await?;
        if let Some(email) = &user.email {
            self.claim_email(&mut transaction, email, None).await?;
        }
        let made = users.new_id();
        let extra = text_of(&user.extra);
        let args = [
            Arg::from(&made),
            Arg::from(&user.name),
            Arg::from(&user.email),
            Arg::from(user.email_verified),
            Arg::from(&user.image),
            Arg::from(&extra),
        ];
        let statement = self.users.insert.get()?;
        let id = if let Some(id) = &made {
            transaction.run(statement, &args).await?;
            id.clone()
        } else if B::DIALECT == super::Dialect::MySql {
            transaction.run(statement, &args).await?.id.to_string()
        } else {
            let rows = transaction.rows(statement, &args).await?;
            let id = rows.into_iter().next().and_then(|mut row| row.text());
            id.ok_or(Fault::Unreadable("id that was made"))?
        };
        if let Some(account) = account {
            self.insert_account(&mut transaction, &id, account).await?;
        }
        let rows = transaction.rows(self.users.by_id.get()?, &[users.id("id", &id)?]).await?;
        let user = first_user(rows)?.ok_or(Fault::Unreadable("user that was made"))?;
        transaction.commit().await?;
        Ok(user)
    }

    async fn try_user(&self, id: &str) -> Outcome<Option<User>> {
        let id = usable(&self.layout.users)?.id("id", id)?;
        first_user(self.read(self.users.by_id.get()?, &[id]).await?)
    }

    async fn try_update_user(&self, id: &str, change: &UserChange) -> Outcome<Option<User>> {
        let id = usable(&self.layout.users)?.id("id", id)?;
        let mut transaction = self.begin().await?;
        if transaction.rows(self.users.lock.get()?, &[id]).await?.is_empty() {
            return Ok(None);
        }
        let mut extra = None;
        if !change.extra.is_empty() || change.if_email.is_some() {
            let rows = transaction.rows(self.users.by_id.get()?, &[id]).await?;
            let Some(mut before) = first_user(rows)?.filter(|user| change.is_for(user)) else {
                return Ok(None);
            };
            before.extra.extend(change.extra.clone());
            extra = text_of(&before.extra).filter(|_| !change.extra.is_empty());
        }
        if let Some(email) = &change.email {
            self.claim_email(&mut transaction, email, Some(id)).await?;
        }
        let args = [
            id,
            Arg::from(&change.name),
            Arg::from(&change.email),
            Arg::from(change.email_verified),
            Arg::from(&change.image),
            Arg::from(&extra),
        ];
        transaction.run(self.users.update.get()?, &args).await?;
        let user = first_user(transaction.rows(self.users.by_id.get()?, &[id]).await?)?;
        transaction.commit().await?;
        Ok(user)
    }

    async fn try_delete_user(&self, id: &str) -> Outcome<bool> {
        let id = usable(&self.layout.users)?.id("id", id)?;
        let mut transaction = self.begin().await?;
        if transaction.rows(self.users.lock.get()?, &[id]).await?.is_empty() {
            return Ok(false);
        }
        // Not left to the database: those tables of Auth.js have no foreign keys.
        for of_user in [&self.sessions.delete_of_user, &self.users.delete_accounts_of] {
            if let Some(statement) = of_user.found() {
                transaction.run(statement, &[id]).await?;
            }
        }
        let done = transaction.run(self.users.delete.get()?, &[id]).await?;
        transaction.commit().await?;
        Ok(done.rows > 0)
    }

    async fn try_link_account(&self, user_id: &str, account: &Account) -> Outcome<()> {
        let mut transaction = self.begin().await?;
        self.expect_user(&mut transaction, user_id).await?;
        self.insert_account(&mut transaction, user_id, account).await?;
        transaction.commit().await
    }

    /// That there is this user, and will be until the transaction is over.
    pub(super) async fn expect_user(&self, transaction: &mut Transaction<B>, id: &str) -> Outcome<()> {
        let id = usable(&self.layout.users)?.id("id", id)?;
        match transaction.rows(self.users.lock.get()?, &[id]).await?.is_empty() {
            true => Err(Fault::Taken("there is no such user")),
            false => Ok(()),
        }
    }

    async fn insert_account(
        &self,
        transaction: &mut Transaction<B>,
        user_id: &str,
        account: &Account,
    ) -> Outcome<()> {
        let accounts = usable(&self.layout.accounts)?;
        let (provider, id) = (account.provider.as_str(), account.provider_account_id.as_str());
        if !accounts.is_unique(&["provider", "providerAccountId"]) {
            transaction.hold([&accounts.name, provider, id]).await?;
            let key = [provider.into(), id.into()];
            if !transaction.rows(self.users.lock_account.get()?, &key).await?.is_empty() {
                return Err(Fault::Taken("somebody has this account"));
            }
        }
        let made = accounts.new_id();
        let owner = accounts.id("userId", user_id)?;
        let named = [owner, Arg::from(&*account.kind), Arg::from(provider), Arg::from(id)];
        let args = [&named[..], &token_args(&account.tokens), &[Arg::from(&made)]].concat();
        transaction.run(self.users.insert_account.get()?, &args).await?;
        Ok(())
    }

    async fn has_tokens(&self, provider: &str, id: &str, tokens: &ProviderTokens) -> Result<bool> {
        let Some(user) = self.user_by_account(provider, id).await? else { return Ok(false) };
        let accounts = self.accounts_of(&user.id).await?;
        Ok(accounts.iter().any(|account| account.is(provider, id) && account.tokens.are_those_of(tokens)))
    }

    /// That nobody has this address but `owner`, where the table does not see to that.
    async fn claim_email(
        &self,
        transaction: &mut Transaction<B>,
        email: &str,
        owner: Option<Arg<'_>>,
    ) -> Outcome<()> {
        let users = usable(&self.layout.users)?;
        if users.is_unique(&["email"]) {
            return Ok(());
        }
        transaction.hold([&users.name, "email", email]).await?;
        let owner = match owner {
            Some(Arg::Text(Some(id))) => Some(id.to_owned()),
            Some(Arg::Integer(Some(id))) => Some(id.to_string()),
            _ => None,
        };
        for mut row in transaction.rows(self.users.lock_email.get()?, &[email.into()]).await? {
            if row.text() != owner {
                return Err(Fault::Taken("another user has this e-mail address"));
            }
        }
        Ok(())
    }
}

pub(super) fn usable(table: &Usable) -> Outcome<&Table> {
    table.as_ref().map_err(|why| Fault::Unplanned(why.clone()))
}

/// What cannot be stored is nobody's.
pub(super) fn nobody_if_unstorable<T>(outcome: Outcome<Option<T>>) -> Result<Option<T>> {
    none_if_unstorable(outcome)
}

/// Of what cannot be stored there is nothing.
pub(super) fn none_if_unstorable<T: Default>(outcome: Outcome<T>) -> Result<T> {
    match outcome {
        Err(Fault::Unstorable) => Ok(T::default()),
        outcome => Ok(outcome?),
    }
}

fn first_user(rows: Vec<Row>) -> Outcome<Option<User>> {
    rows.into_iter().next().map(|mut row| user_of(&mut row)).transpose()
}

pub(super) fn user_of(row: &mut Row) -> Outcome<User> {
    let mut user = User::new(row.needed_text("id of a user")?);
    user.name = row.text();
    user.email = row.text();
    user.email_verified = row.time();
    user.image = row.text();
    user.extra = members_of(row.text())?;
    Ok(user)
}

/// In the order in which an account has them.
fn token_args(tokens: &ProviderTokens) -> [Arg<'_>; 7] {
    [
        Arg::from(&tokens.refresh_token),
        Arg::from(&tokens.access_token),
        Arg::from(tokens.expires_at),
        Arg::from(&tokens.id_token),
        Arg::from(&tokens.scope),
        Arg::from(&tokens.session_state),
        Arg::from(&tokens.token_type),
    ]
}

fn account_of(mut row: Row) -> Outcome<Account> {
    let kind = Cow::Owned(row.needed_text("type of an account")?);
    let provider = row.needed_text("provider of an account")?;
    let mut account = Account::new(kind, provider, row.needed_text("id of an account")?);
    account.tokens = ProviderTokens {
        refresh_token: row.text(),
        access_token: row.text(),
        expires_at: row.integer(),
        id_token: row.text(),
        scope: row.text(),
        session_state: row.text(),
        token_type: row.text(),
        ..ProviderTokens::default()
    };
    Ok(account)
}

/// Nothing for none: most rows have none.
pub(super) fn text_of(members: &Map<String, Value>) -> Option<String> {
    if members.is_empty() {
        return None;
    }
    serde_json::to_string(members).ok()
}

pub(super) fn members_of(text: Option<String>) -> Outcome<Map<String, Value>> {
    match text.as_deref() {
        None | Some("" | "null") => Ok(Map::new()),
        Some(text) => serde_json::from_str(text).map_err(|_| Fault::Unreadable("object in a JSON column")),
    }
}
