use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::{Arc, MutexGuard},
};

use serde_json::Map;

use super::shards::Shards;
use crate::{
    clock::Timestamp,
    store::{Result, SessionKey, StoreError, StoredSession, UserChange},
    user::{Account, ProviderTokens, User},
};

/// A session, and how many were begun before it.
pub(super) struct Kept {
    pub(super) session: Arc<StoredSession>,
    number: u64,
}

/// What is where, for those who write.
#[derive(Default)]
pub(super) struct Books {
    /// Counts sessions, and times at which users were left without one.
    count: u64,
    /// All sessions, by their end.
    pub(super) ends: BTreeSet<(Timestamp, SessionKey)>,
    /// The sessions of each user that has some, in the order in which they were begun. Users of other stores
    /// are among them.
    pub(super) begun: HashMap<Arc<str>, BTreeMap<Begun, SessionKey>>,
    pub(super) people: HashMap<Arc<str>, Person>,
    /// Those of `people` without a session, longest first.
    pub(super) idle: BTreeMap<u64, Arc<str>>,
    pub(super) emails: HashMap<String, Arc<str>>,
    /// By provider, then by the id there.
    pub(super) accounts: HashMap<String, HashMap<String, Arc<str>>>,
}

/// The place of a session among those of its user. What has no time was made by somebody who keeps none.
type Begun = (Option<Timestamp>, u64);

#[derive(Default)]
pub(super) struct Person {
    pub(super) accounts: Vec<Account>,
    /// Their place in `idle`.
    idle: Option<u64>,
}

/// Somebody who writes: there is one at a time.
pub(super) struct Write<'a> {
    pub(super) capacity: usize,
    pub(super) sessions: &'a Shards<SessionKey, Kept>,
    pub(super) users: &'a Shards<Arc<str>, Arc<User>>,
    pub(super) books: MutexGuard<'a, Books>,
}

/// Sessions.
impl Write<'_> {
    pub(super) fn add_session(&mut self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        if self.sessions.contains(&session.key) {
            return Err(StoreError::conflict("there is a session with this key"));
        }
        if let Some(limit) = limit {
            while self.sessions_of(&session.user_id).len() >= limit.get() {
                self.end_oldest_of(&session.user_id);
            }
        }
        while self.books.ends.len() >= self.capacity {
            self.end_first();
        }
        self.insert_session(session);
        Ok(())
    }

    fn insert_session(&mut self, session: &StoredSession) {
        let number = self.books.number();
        let user_id: Arc<str> = session.user_id.as_str().into();
        self.books.ends.insert((session.expires, session.key.clone()));
        self.books.busy(&user_id);
        self.books.begun.entry(user_id).or_default().insert((session.created, number), session.key.clone());
        self.sessions.insert(session.key.clone(), Kept { session: Arc::new(session.clone()), number });
    }

    /// Makes `change` to a session. `None` if it is not there.
    pub(super) fn change_session<T>(
        &mut self,
        key: &SessionKey,
        change: impl FnOnce(&mut Arc<StoredSession>) -> T,
    ) -> Option<T> {
        let (before, after, done) = self.sessions.change(key, |kept| {
            let before = kept.session.expires;
            let done = change(&mut kept.session);
            (before, kept.session.expires, done)
        })?;
        if before != after {
            self.books.ends.remove(&(before, key.clone()));
            self.books.ends.insert((after, key.clone()));
        }
        Some(done)
    }

    pub(super) fn end_session(&mut self, key: &SessionKey) -> bool {
        let Some(Kept { session, number }) = self.sessions.remove(key) else { return false };
        self.books.ends.remove(&(session.expires, key.clone()));
        if let Some(begun) = self.books.begun.get_mut(session.user_id.as_str()) {
            begun.remove(&(session.created, number));
            if begun.is_empty() {
                self.books.begun.remove(session.user_id.as_str());
                self.books.idle(&session.user_id);
            }
        }
        true
    }

    /// The keys of a user's sessions, in the order in which they were begun.
    pub(super) fn sessions_of(&self, user_id: &str) -> impl ExactSizeIterator<Item = &SessionKey> {
        static NONE: BTreeMap<Begun, SessionKey> = BTreeMap::new();
        self.books.begun.get(user_id).unwrap_or(&NONE).values()
    }

    pub(super) fn end_sessions_of(&mut self, user_id: &str, keep: Option<&SessionKey>) -> u64 {
        let ended: Vec<_> = self.sessions_of(user_id).filter(|key| Some(*key) != keep).cloned().collect();
        ended.iter().filter(|key| self.end_session(key)).count() as u64
    }

    pub(super) fn end_expired(&mut self, now: Timestamp, limit: u32) -> u64 {
        let mut ended = 0;
        while ended < u64::from(limit) && self.books.ends.first().is_some_and(|(end, _)| *end <= now) {
            self.end_first();
            ended += 1;
        }
        ended
    }

    fn end_oldest_of(&mut self, user_id: &str) {
        let oldest = self.sessions_of(user_id).next().cloned();
        if let Some(key) = oldest {
            self.end_session(&key);
        }
    }

    /// Ends the session that ends first.
    fn end_first(&mut self) {
        if let Some((_, key)) = self.books.ends.pop_first() {
            self.end_session(&key);
        }
    }
}

/// Users and accounts.
impl Write<'_> {
    pub(super) fn add_user(&mut self, mut user: User, account: Option<&Account>) -> Result<User> {
        self.check_email(user.email.as_deref())?;
        if let Some(account) = account {
            self.check_account(account)?;
        }
        while self.books.people.len() >= self.capacity {
            self.forget_somebody();
        }
        let id: Arc<str> = uuid::Uuid::new_v4().to_string().into();
        user.id = id.as_ref().to_owned();
        if let Some(email) = &user.email {
            self.books.emails.insert(email.clone(), id.clone());
        }
        self.books.people.insert(id.clone(), Person::default());
        self.books.idle(&id);
        self.users.insert(id.clone(), Arc::new(user.clone()));
        if let Some(account) = account {
            self.books.add_account(&id, account);
        }
        Ok(user)
    }

    pub(super) fn change_user(&mut self, id: &str, change: UserChange) -> Result<Option<User>> {
        let Some(before) = self.user(id) else { return Ok(None) };
        let mut user = User::clone(&before);
        if !change.apply(&mut user) {
            return Ok(None);
        }
        if user.email != before.email {
            self.check_email(user.email.as_deref())?;
            self.forget_email(&before);
            if let (Some(email), Some((id, _))) = (&user.email, self.books.people.get_key_value(id)) {
                let id = id.clone();
                self.books.emails.insert(email.clone(), id);
            }
        }
        self.users.change(id, |kept| *kept = Arc::new(user.clone()));
        Ok(Some(user))
    }

    pub(super) fn remove_user(&mut self, id: &str) -> bool {
        self.end_sessions_of(id, None);
        let Some(user) = self.users.remove(id) else { return false };
        self.forget_email(&user);
        if let Some(person) = self.books.people.remove(id) {
            for account in &person.accounts {
                self.books.remove_from_accounts(&account.provider, &account.provider_account_id);
            }
            if let Some(number) = person.idle {
                self.books.idle.remove(&number);
            }
        }
        true
    }

    pub(super) fn add_account(&mut self, user_id: &str, account: &Account) -> Result<()> {
        self.check_account(account)?;
        let Some((id, _)) = self.books.people.get_key_value(user_id) else {
            return Err(StoreError::conflict("there is no such user"));
        };
        let id = id.clone();
        self.books.add_account(&id, account);
        Ok(())
    }

    pub(super) fn remove_account(&mut self, provider: &str, id: &str) -> bool {
        let Some(user_id) = self.books.remove_from_accounts(provider, id) else { return false };
        if let Some(person) = self.books.people.get_mut(&user_id) {
            person.accounts.retain(|account| !account.is(provider, id));
        }
        true
    }

    pub(super) fn replace_tokens(
        &mut self,
        provider: &str,
        id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> bool {
        let books = &mut *self.books;
        let owner = books.accounts.get(provider).and_then(|of_provider| of_provider.get(id));
        let Some(person) = owner.and_then(|owner| books.people.get_mut(owner)) else { return false };
        let account = person.accounts.iter_mut().find(|account| account.is(provider, id));
        let Some(account) = account.filter(|account| account.tokens.are_those_of(before)) else {
            return false;
        };
        account.tokens = ProviderTokens { extra: Map::new(), ..after.clone() };
        true
    }

    pub(super) fn accounts_of(&self, user_id: &str) -> Vec<Account> {
        self.books.people.get(user_id).map(|person| person.accounts.clone()).unwrap_or_default()
    }

    pub(super) fn user_by_email(&self, email: &str) -> Option<Arc<User>> {
        self.user(self.books.emails.get(email)?)
    }

    pub(super) fn user_by_account(&self, provider: &str, id: &str) -> Option<Arc<User>> {
        self.user(self.books.accounts.get(provider)?.get(id)?)
    }

    fn user(&self, id: &str) -> Option<Arc<User>> {
        self.users.read(id, Arc::clone)
    }

    fn check_email(&self, email: Option<&str>) -> Result<()> {
        match email.is_some_and(|email| self.books.emails.contains_key(email)) {
            true => Err(StoreError::conflict("a user has this e-mail address")),
            false => Ok(()),
        }
    }

    fn check_account(&self, account: &Account) -> Result<()> {
        match self.user_by_account(&account.provider, &account.provider_account_id) {
            Some(_) => Err(StoreError::conflict("somebody has this account")),
            None => Ok(()),
        }
    }

    fn forget_email(&mut self, user: &User) {
        if let Some(email) = &user.email {
            self.books.emails.remove(email);
        }
    }

    /// Removes the user who has been without a session for longest. If all have one, one session ends.
    fn forget_somebody(&mut self) {
        match self.books.idle.first_key_value() {
            Some((_, id)) => {
                let id = id.clone();
                self.remove_user(&id);
            }
            None => self.end_first(),
        }
    }
}

impl Books {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A user has no session any more, or none yet.
    fn idle(&mut self, user_id: &str) {
        let number = self.number();
        if let Some((id, _)) = self.people.get_key_value(user_id) {
            self.idle.insert(number, id.clone());
        }
        if let Some(person) = self.people.get_mut(user_id) {
            person.idle = Some(number);
        }
    }

    fn busy(&mut self, user_id: &str) {
        if let Some(number) = self.people.get_mut(user_id).and_then(|person| person.idle.take()) {
            self.idle.remove(&number);
        }
    }

    fn add_account(&mut self, user_id: &Arc<str>, account: &Account) {
        if let Some(person) = self.people.get_mut(user_id) {
            let tokens = ProviderTokens { extra: Map::new(), ..account.tokens.clone() };
            person.accounts.push(Account { tokens, ..account.clone() });
        }
        self.accounts
            .entry(account.provider.clone())
            .or_default()
            .insert(account.provider_account_id.clone(), user_id.clone());
    }

    fn remove_from_accounts(&mut self, provider: &str, id: &str) -> Option<Arc<str>> {
        let of_provider = self.accounts.get_mut(provider)?;
        let user_id = of_provider.remove(id);
        if of_provider.is_empty() {
            self.accounts.remove(provider);
        }
        user_id
    }
}
