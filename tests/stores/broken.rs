//! A store that breaks one promise.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use async_trait::async_trait;
use portcullis::{
    Account, ProviderTokens, Timestamp, User,
    store::{
        MemoryStore, Replaced, Result, Revocation, RevocationStore, Revoked, SessionAndUser, SessionKey,
        SessionStore, Store, StoreError, StoreErrorKind, StoredSession, UserChange, UserStore,
        VerificationToken, VerificationTokenStore,
    },
};
use serde_json::{Map, Value};
use tokio::sync::Notify;

/// How a [`Broken`] store is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "cache"), allow(dead_code))]
pub enum Fault {
    None,
    ForgetsImages,
    WantsEmails,
    CountsSeconds,
    DropsMembers,
    FailsWhereNothingIs,
    IgnoresCase,
    TakesEmailsTwice,
    MakesUsersInTwoSteps,
    WritesUsersAsRead,
    ClearsWhatIsNotNamed,
    KeepsProofs,
    IgnoresConditions,
    SwallowsConflicts,
    DeletesAnybody,
    LeavesSessions,
    MakesUpUsers,
    ReversesAccounts,
    CutsNumbers,
    KeepsWhatIsNotGiven,
    ReplacesTokensAsRead,
    ReplacesTokensOfAll,
    UnlinksAsRead,
    LinksTwice,
    JoinsTexts,
    ForgetsAgents,
    ExtendsWhatHasEnded,
    ExtendsWhatNeverWas,
    WritesSessionsOver,
    ShortensSessions,
    HidesExpired,
    ReversesSessions,
    EndsTheKept,
    IgnoresVersions,
    RoundsNumbers,
    ExtendsAsRead,
    SaysItExtended,
    IgnoresLimits,
    SweepsEverything,
    MiscountsSweeps,
    UsesTokensInTwoSteps,
    IgnoresIdentifiers,
    WritesTokensOver,
    UsesAllTokens,
    AnswersFromBefore,
    AnswersLate,
    KnowsFromBefore,
    OpensByHandle,
    ReportsNothingInALine,
    ForgetsTheExactMoment,
    KeepsTheFirstRevocation,
}

#[derive(Debug)]
#[cfg_attr(not(feature = "cache"), allow(dead_code))]
pub struct Broken {
    inner: MemoryStore,
    fault: Fault,
    /// What was made, whatever became of it.
    sessions: Mutex<HashMap<SessionKey, StoredSession>>,
    tokens: Mutex<Vec<VerificationToken>>,
    answered: Mutex<HashMap<SessionKey, SessionAndUser>>,
    /// Says when an answer is on its way, and lets it arrive.
    pub late: (Notify, Notify),
    pub down: AtomicBool,
}

impl Broken {
    pub fn new(fault: Fault) -> Self {
        Self {
            inner: MemoryStore::new(),
            fault,
            sessions: Mutex::default(),
            tokens: Mutex::default(),
            answered: Mutex::default(),
            late: Default::default(),
            down: AtomicBool::default(),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn text(&self, text: &str) -> String {
        if self.is(Fault::IgnoresCase) { text.to_lowercase() } else { text.to_owned() }
    }

    fn key(&self, key: &SessionKey) -> SessionKey {
        SessionKey::new(self.text(key.as_str()))
    }

    fn time(&self, time: Timestamp) -> Timestamp {
        if self.is(Fault::CountsSeconds) { Timestamp::from_secs(time.as_secs()) } else { time }
    }

    fn user_as_stored(&self, user: &User) -> User {
        let mut user = user.clone();
        user.email = user.email.map(|email| self.text(&email));
        user.email_verified = user.email_verified.map(|at| self.time(at));
        if self.is(Fault::ForgetsImages) {
            user.image = None;
        }
        if self.is(Fault::DropsMembers) {
            user.extra.clear();
        }
        user
    }

    fn account_as_stored(&self, account: &Account) -> Account {
        let mut account = account.clone();
        (account.provider, account.provider_account_id) =
            self.pair(&account.provider, &account.provider_account_id);
        if self.is(Fault::CutsNumbers) {
            account.tokens.expires_at = account.tokens.expires_at.map(|at| at.min(i32::MAX.into()));
        }
        account
    }

    /// Two texts that are one key together.
    fn pair(&self, one: &str, other: &str) -> (String, String) {
        match self.is(Fault::JoinsTexts) {
            true => (String::new(), format!("{one}:{other}")),
            false => (self.text(one), self.text(other)),
        }
    }

    fn session_as_stored(&self, session: &StoredSession) -> StoredSession {
        let mut session = session.clone();
        session.key = self.key(&session.key);
        session.user_id = self.text(&session.user_id);
        session.expires = self.time(session.expires);
        if self.is(Fault::ForgetsAgents) {
            session.user_agent = None;
        }
        session
    }

    /// Nothing that is asked for is no error; here it may be.
    fn found<T>(&self, found: Option<T>) -> Result<Option<T>> {
        match found {
            None if self.is(Fault::FailsWhereNothingIs) => Err(StoreError::corrupt("no such row")),
            found => Ok(found),
        }
    }

    async fn tokens_of(&self, provider: &str, id: &str) -> Result<Option<ProviderTokens>> {
        let Some(user) = self.inner.user_by_account(provider, id).await? else { return Ok(None) };
        let accounts = self.inner.accounts_of(&user.id).await?;
        let is_it = |account: &Account| account.provider == provider && account.provider_account_id == id;
        Ok(accounts.into_iter().find(is_it).map(|account| account.tokens))
    }

    /// Puts a session in the place of another, which takes several steps.
    async fn put(&self, session: &StoredSession) -> Result<()> {
        self.inner.end_session(&session.key).await?;
        match self.inner.create_session(session, None).await {
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(()),
            answer => answer,
        }
    }
}

/// What takes several steps may be interrupted between them, and here it is.
async fn others_go_first() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl UserStore for Broken {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> Result<User> {
        let (mut user, account) =
            (self.user_as_stored(user), account.map(|account| self.account_as_stored(account)));
        if self.is(Fault::WantsEmails) && user.email.is_none() {
            return Err(StoreError::conflict("no address"));
        }
        if self.is(Fault::TakesEmailsTwice) {
            let taken = match &user.email {
                Some(email) => self.inner.user_by_email(email).await?.is_some(),
                None => false,
            };
            if taken {
                user.email = None;
            }
        }
        if let (Fault::MakesUsersInTwoSteps, Some(account)) = (self.fault, &account) {
            let user = self.inner.create_user(&user, None).await?;
            others_go_first().await;
            self.inner.link_account(&user.id, account).await?;
            return Ok(user);
        }
        self.inner.create_user(&user, account.as_ref()).await
    }

    async fn user(&self, id: &str) -> Result<Option<User>> {
        self.found(self.inner.user(&self.text(id)).await?)
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        self.inner.user_by_email(&self.text(email)).await
    }

    async fn user_by_account(&self, provider: &str, provider_account_id: &str) -> Result<Option<User>> {
        let (provider, id) = self.pair(provider, provider_account_id);
        self.inner.user_by_account(&provider, &id).await
    }

    async fn update_user(&self, id: &str, mut change: UserChange) -> Result<Option<User>> {
        let id = self.text(id);
        if self.is(Fault::IgnoresConditions) {
            change.if_email = None;
        }
        if self.is(Fault::DropsMembers) {
            change.extra.clear();
        }
        if self.is(Fault::ClearsWhatIsNotNamed) {
            change.image = change.image.or(Some(String::new()));
        }
        if self.is(Fault::WritesUsersAsRead) {
            let read = self.inner.user(&id).await?;
            others_go_first().await;
            if let Some(read) = read {
                change.name = change.name.or(read.name);
                change.image = change.image.or(read.image);
                change.email = change.email.or(read.email);
            }
        }
        if self.is(Fault::KeepsProofs) && change.email_verified.is_none() {
            change.email_verified = self.inner.user(&id).await?.and_then(|user| user.email_verified);
        }
        match self.inner.update_user(&id, change.clone()).await {
            Err(_) if self.is(Fault::SwallowsConflicts) => {
                change.email = None;
                self.inner.update_user(&id, change).await
            }
            answer => answer,
        }
    }

    async fn delete_user(&self, id: &str) -> Result<bool> {
        let sessions = self.inner.sessions_of(id).await?;
        let deleted = self.inner.delete_user(&self.text(id)).await?;
        if self.is(Fault::LeavesSessions) {
            for session in sessions {
                self.put(&session).await?;
            }
        }
        Ok(deleted || self.is(Fault::DeletesAnybody))
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> Result<()> {
        let linked = self.inner.link_account(&self.text(user_id), &self.account_as_stored(account)).await;
        if self.is(Fault::LinksTwice) { Ok(()) } else { linked }
    }

    async fn unlink_account(&self, provider: &str, provider_account_id: &str) -> Result<bool> {
        let (provider, id) = self.pair(provider, provider_account_id);
        if self.is(Fault::UnlinksAsRead) {
            let read = self.tokens_of(&provider, &id).await?;
            others_go_first().await;
            if self.tokens_of(&provider, &id).await? != read {
                return Ok(false);
            }
        }
        Ok(self.inner.unlink_account(&provider, &id).await? || self.is(Fault::DeletesAnybody))
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        provider_account_id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> Result<bool> {
        let (provider, id) = self.pair(provider, provider_account_id);
        let read = self.tokens_of(&provider, &id).await?;
        let (mut before, mut after) = (before.clone(), after.clone());
        if let (Fault::KeepsWhatIsNotGiven, Some(read)) = (self.fault, &read) {
            after.id_token = after.id_token.or(read.id_token.clone());
        }
        if let (Fault::ReplacesTokensAsRead, Some(read)) = (self.fault, &read)
            && read.access_token == before.access_token
        {
            others_go_first().await;
            before = self.tokens_of(&provider, &id).await?.unwrap_or(before);
        }
        let replaced = self.inner.replace_tokens(&provider, &id, &before, &after).await?;
        if self.is(Fault::ReplacesTokensOfAll) {
            let owner = self.inner.user_by_account(&provider, &id).await?;
            for other in self.inner.accounts_of(&owner.map(|user| user.id).unwrap_or_default()).await? {
                let (provider, id) = (&other.provider, &other.provider_account_id);
                self.inner.replace_tokens(provider, id, &before, &after).await?;
            }
        }
        Ok(replaced)
    }

    async fn accounts_of(&self, user_id: &str) -> Result<Vec<Account>> {
        let mut accounts = self.inner.accounts_of(&self.text(user_id)).await?;
        if self.is(Fault::ReversesAccounts) {
            accounts.reverse();
        }
        Ok(accounts)
    }
}

#[async_trait]
impl SessionStore for Broken {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> Result<()> {
        let session = self.session_as_stored(session);
        let limit = if self.is(Fault::IgnoresLimits) { None } else { limit };
        self.sessions.lock().unwrap().insert(session.key.clone(), session.clone());
        if self.is(Fault::WritesSessionsOver) {
            self.inner.end_session(&session.key).await?;
        }
        self.inner.create_session(&session, limit).await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>> {
        let found = self.inner.session(&self.key(key)).await?;
        let year_2001 = Timestamp::from_secs(978_307_200);
        Ok(found.filter(|session| !self.is(Fault::HidesExpired) || session.expires > year_2001))
    }

    async fn extend_session(&self, key: &SessionKey, expires: Timestamp, seen: Timestamp) -> Result<bool> {
        let key = self.key(key);
        let read = self.inner.session(&key).await?;
        match (self.fault, read) {
            (Fault::ExtendsWhatHasEnded, None) => {
                let ended = self.sessions.lock().unwrap().get(&key).cloned();
                let Some(ended) = ended else { return Ok(false) };
                self.put(&ended).await?;
            }
            (Fault::ExtendsWhatNeverWas, None) => {
                self.put(&StoredSession::new(key.clone(), "", seen)).await?
            }
            (Fault::ShortensSessions, Some(mut read)) if expires <= read.expires => {
                (read.expires, read.last_seen) = (expires, Some(seen));
                self.put(&read).await?;
                return Ok(true);
            }
            (Fault::ExtendsAsRead, Some(mut read)) if expires > read.expires => {
                others_go_first().await;
                (read.expires, read.last_seen) = (expires, Some(seen));
                self.put(&read).await?;
                return Ok(true);
            }
            _ => {}
        }
        let extended = self.inner.extend_session(&key, self.time(expires), seen).await?;
        Ok(extended || self.is(Fault::SaysItExtended))
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        mut version: u64,
        data: &Map<String, Value>,
    ) -> Result<Replaced> {
        let (key, mut data) = (self.key(key), data.clone());
        if self.is(Fault::IgnoresVersions) {
            version = self.inner.session(&key).await?.map_or(version, |session| session.version);
        }
        if self.is(Fault::RoundsNumbers) {
            data.values_mut().for_each(round);
        }
        self.inner.replace_session_data(&key, version, &data).await
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool> {
        self.inner.end_session(&self.key(key)).await
    }

    async fn sessions_of(&self, user_id: &str) -> Result<Vec<StoredSession>> {
        let mut sessions = self.inner.sessions_of(&self.text(user_id)).await?;
        if self.is(Fault::ReversesSessions) {
            sessions.reverse();
        }
        Ok(sessions)
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<u64> {
        let keep = if self.is(Fault::EndsTheKept) { None } else { keep };
        self.inner.end_sessions_of(&self.text(user_id), keep).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let limit = if self.is(Fault::SweepsEverything) { u32::MAX } else { limit };
        let swept = self.inner.delete_expired_sessions(now, limit).await?;
        Ok(if self.is(Fault::MiscountsSweeps) { swept * 2 } else { swept })
    }

    fn report(&self) -> Vec<String> {
        if self.is(Fault::ReportsNothingInALine) { vec![String::new()] } else { self.inner.report() }
    }
}

fn round(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(members) => members.values_mut().for_each(round),
        Value::Number(number) => *value = number.as_f64().into(),
        _ => {}
    }
}

#[async_trait]
impl VerificationTokenStore for Broken {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        let mut token = token.clone();
        (token.identifier, token.token) = self.pair(&token.identifier, &token.token);
        token.expires = self.time(token.expires);
        self.tokens.lock().unwrap().push(token.clone());
        if self.is(Fault::WritesTokensOver) {
            self.inner.use_verification_token(&token.identifier, &token.token).await?;
        }
        self.inner.create_verification_token(&token).await
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        let (identifier, text) = self.pair(identifier, token);
        let used = self.inner.use_verification_token(&identifier, &text).await?;
        let alike = |fault, same: fn(&VerificationToken, &str, &str) -> bool| {
            let all = self.tokens.lock().unwrap().clone();
            all.into_iter().filter(move |token| self.is(fault) && same(token, &identifier, &text))
        };
        match used {
            // It is read, and taken out later.
            Some(used) if self.is(Fault::UsesTokensInTwoSteps) => {
                drop(self.inner.create_verification_token(&used).await);
                others_go_first().await;
                self.inner.use_verification_token(&used.identifier, &used.token).await?;
                Ok(Some(used))
            }
            Some(used) => {
                for other in
                    alike(Fault::UsesAllTokens, |token, identifier, _| token.identifier == identifier)
                {
                    self.inner.use_verification_token(&other.identifier, &other.token).await?;
                }
                Ok(Some(used))
            }
            None => {
                let other = alike(Fault::IgnoresIdentifiers, |token, _, text| token.token == text).next();
                let Some(other) = other else { return Ok(None) };
                self.inner.use_verification_token(&other.identifier, &other.token).await
            }
        }
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let swept = self.inner.delete_expired_verification_tokens(now, limit).await?;
        Ok(if self.is(Fault::MiscountsSweeps) { swept * 2 } else { swept })
    }
}

#[async_trait]
impl Store for Broken {
    async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
        let mut key = self.key(key);
        if self.is(Fault::AnswersFromBefore) {
            let answered = self.answered.lock().unwrap().get(&key).cloned();
            if answered.is_some() {
                return Ok(answered);
            }
        }
        if self.is(Fault::OpensByHandle) {
            let sessions = self.sessions.lock().unwrap();
            let by_handle = sessions.keys().find(|known| known.handle() == key.as_str()).cloned();
            key = by_handle.unwrap_or(key);
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("down"));
        }
        let mut found = self.inner.session_and_user(&key).await?;
        if self.is(Fault::AnswersLate) {
            self.late.0.notify_one();
            self.late.1.notified().await;
        }
        if self.is(Fault::MakesUpUsers) && found.is_none() {
            let session = self.inner.session(&key).await?.map(Arc::new);
            found = session
                .map(|session| SessionAndUser { user: Arc::new(User::new(&session.user_id)), session });
        }
        if let (Fault::ForgetsImages, Some(found)) = (self.fault, &mut found) {
            Arc::make_mut(&mut found.session).data.clear();
        }
        if let Some(found) = &found {
            self.answered.lock().unwrap().insert(key, found.clone());
        }
        Ok(found)
    }

    fn session_and_user_now(&self, key: &SessionKey) -> Poll<Option<SessionAndUser>> {
        match self.answered.lock().unwrap().get(key) {
            Some(found) if self.is(Fault::KnowsFromBefore) => Poll::Ready(Some(found.clone())),
            _ => Poll::Pending,
        }
    }
}

#[async_trait]
impl RevocationStore for Broken {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let mut revocation = revocation.clone();
        revocation.subject = match revocation.subject {
            Revoked::Session(id) => Revoked::Session(self.text(&id)),
            Revoked::User(id) => Revoked::User(self.text(&id)),
        };
        if self.is(Fault::KeepsTheFirstRevocation) {
            let known = self.inner.revocations(Timestamp::from_secs(0)).await?;
            if known.iter().any(|known| known.subject == revocation.subject) {
                return Ok(());
            }
        }
        self.inner.revoke(&revocation).await
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        let mut found = self.inner.revocations(since).await?;
        if self.is(Fault::ForgetsTheExactMoment) {
            found.retain(|revocation| revocation.at > since);
        }
        Ok(found)
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let swept = self.inner.delete_expired_revocations(now, limit).await?;
        Ok(if self.is(Fault::MiscountsSweeps) { swept * 2 } else { swept })
    }
}
