//! What the checks are made with.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use crate::{
    clock::{Clock, SystemClock, Timestamp},
    store::{
        RevocationStore, SessionKey, SessionStore, Store, StoreError, StoreErrorKind, StoredSession,
        UserStore, VerificationToken, VerificationTokenStore,
    },
    user::{Account, User},
};

/// What a check comes to.
pub(super) type Checked<T = ()> = Result<T, Stop>;

/// Why a check ends early.
#[derive(Debug)]
pub(super) enum Stop {
    Broken(String),
    LeftOut(&'static str),
}

/// Where the contract has no error, an error breaks it.
impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        let why = error.source().map(ToString::to_string).unwrap_or_default();
        Self::Broken(format!("an error where none may be: {error}: {why}"))
    }
}

/// The stores under test.
#[derive(Debug, Default)]
pub(super) struct Kit {
    pub(super) users: Option<Arc<dyn UserStore>>,
    pub(super) sessions: Option<Arc<dyn SessionStore>>,
    pub(super) tokens: Option<Arc<dyn VerificationTokenStore>>,
    pub(super) store: Option<Arc<dyn Store>>,
    pub(super) revocations: Option<Arc<dyn RevocationStore>>,
    pub(super) extent: Extent,
}

/// What they have a place for.
#[derive(Debug)]
pub(super) struct Extent {
    pub(super) session_data: bool,
    pub(super) session_details: bool,
    pub(super) user_extra: bool,
    pub(super) unique_keys: bool,
    pub(super) evicts_expired: bool,
}

impl Default for Extent {
    fn default() -> Self {
        Self {
            session_data: true,
            session_details: true,
            user_extra: true,
            unique_keys: true,
            evicts_expired: false,
        }
    }
}

impl Kit {
    pub(super) fn users(&self) -> Checked<Arc<dyn UserStore>> {
        self.users.clone().ok_or(Stop::LeftOut("no store of users"))
    }

    pub(super) fn sessions(&self) -> Checked<Arc<dyn SessionStore>> {
        self.sessions.clone().ok_or(Stop::LeftOut("no store of sessions"))
    }

    pub(super) fn tokens(&self) -> Checked<Arc<dyn VerificationTokenStore>> {
        self.tokens.clone().ok_or(Stop::LeftOut("no store of one-time tokens"))
    }

    pub(super) fn store(&self) -> Checked<Arc<dyn Store>> {
        self.store.clone().ok_or(Stop::LeftOut("users and sessions are in different stores"))
    }

    pub(super) fn revocations(&self) -> Checked<Arc<dyn RevocationStore>> {
        self.revocations.clone().ok_or(Stop::LeftOut("no store of revocations"))
    }

    pub(super) fn needs_session_data(&self) -> Checked {
        needs(self.extent.session_data, "no place for the data of sessions")
    }

    pub(super) fn needs_user_extra(&self) -> Checked {
        needs(self.extent.user_extra, "no place for further members of users")
    }

    pub(super) fn needs_unique_keys(&self) -> Checked {
        needs(self.extent.unique_keys, "no unique keys")
    }

    /// A session as it was found, without what the store has no place for: what it says there is its own matter.
    pub(super) fn as_kept(&self, mut found: StoredSession) -> StoredSession {
        if !self.extent.session_details {
            (found.created, found.last_seen, found.address, found.user_agent) = (None, None, None, None);
        }
        found
    }

    /// The id of a new user with nothing to them: one of the store's where it keeps users.
    pub(super) async fn user_id(&self) -> Checked<String> {
        match &self.users {
            Some(users) => Ok(users.create_user(&User::new(""), None).await?.id),
            None => Ok(random()),
        }
    }

    /// A new session of a new user, in the store.
    pub(super) async fn begun_session(&self) -> Checked<StoredSession> {
        let session = session_of(&self.user_id().await?);
        self.sessions()?.create_session(&session, None).await?;
        Ok(session)
    }
}

fn needs(there: bool, what: &'static str) -> Checked {
    if there { Ok(()) } else { Err(Stop::LeftOut(what)) }
}

/// A text that is nowhere yet.
pub(super) fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

pub(super) fn random_key() -> SessionKey {
    SessionKey::of_token(&random())
}

pub(super) fn random_email() -> String {
    format!("{}@example.com", random())
}

pub(super) fn random_account() -> Account {
    Account::new("oauth", "conformance", random())
}

/// A session that ends in an hour.
pub(super) fn session_of(user_id: &str) -> StoredSession {
    StoredSession::new(random_key(), user_id, in_seconds(3600))
}

/// A token that ends in an hour.
pub(super) fn random_token() -> VerificationToken {
    VerificationToken::new(random_email(), random(), in_seconds(3600))
}

/// Stores that drop what has expired go by the real time.
pub(super) fn in_seconds(seconds: u64) -> Timestamp {
    Timestamp::from(SystemClock.now()).plus(Duration::from_secs(seconds))
}

/// The answer must be an error of the kind `Conflict`.
pub(super) fn conflict<T>(answer: Result<T, StoreError>, what: &str) -> Checked {
    match answer {
        Ok(_) => Err(Stop::Broken(format!("no conflict: {what}"))),
        Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Of several answers one is a success and the others are conflicts.
pub(super) fn one_of<T>(answers: Vec<Result<T, StoreError>>, what: &str) -> Checked<T> {
    let mut winner = None;
    for answer in answers {
        match answer {
            Ok(_) if winner.is_some() => return Err(Stop::Broken(format!("two succeeded: {what}"))),
            Ok(answer) => winner = Some(answer),
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
    }
    winner.ok_or_else(|| Stop::Broken(format!("nobody succeeded: {what}")))
}

pub(super) fn broken(what: impl Into<String>) -> Stop {
    Stop::Broken(what.into())
}
