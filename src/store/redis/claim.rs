//! Addresses and accounts belong to one user each, though they lie in another slot than the user.
//!
//! Whoever makes a user first writes its id under the address and the account, and the user last: a name whose
//! user is not there belongs to nobody, so a crash half-way leaves nothing that counts. Somebody else who wants
//! such a name waits a moment for the user to appear. Then they see to it that it never will, by writing
//! [`DEAD`] where it would be, and take the name over. As only one of the two can be written, a user never comes
//! to be without the names that it was made with.

use std::time::Duration;

use super::{
    RedisStore,
    record::{self, DEAD},
};
use crate::{
    store::{Result, StoreError},
    user::User,
};

/// How often, and how far apart, it is looked whether the one who holds a name comes to the end of it.
const PATIENCE: (u32, Duration) = (25, Duration::from_millis(20));
/// How often it is looked who has a name.
const ATTEMPTS: u32 = 200;
/// How long nobody can be made under an id that was given up, in milliseconds.
pub(super) const DEAD_FOR: u32 = 3_600_000;

/// A name that belongs to one user.
pub(super) enum Name<'a> {
    Email(&'a str),
    Account(&'a str, &'a str),
}

/// What stands under the user's key.
pub(super) enum Found {
    /// A user, and the text of it.
    User(Box<User>, String),
    Dead,
    Missing,
}

impl Name<'_> {
    fn key(&self, store: &RedisStore) -> String {
        match self {
            Self::Email(email) => store.keys.email(email),
            Self::Account(provider, id) => store.keys.account(provider, id),
        }
    }

    /// The id of the user whom `value` gives this name to; nobody's if it says something else.
    fn holder(&self, value: &str) -> Option<String> {
        match self {
            Self::Email(_) => Some(value.split('\n').next()?.to_owned()),
            Self::Account(provider, id) => {
                record::account_owner(&record::record(value).ok()?, provider, id).map(str::to_owned)
            }
        }
    }

    /// Whether the user goes by this name. Users change their addresses, and the old ones may still lead to them.
    fn is_of(&self, user: &User) -> bool {
        match self {
            Self::Email(email) => user.email.as_deref() == Some(email),
            Self::Account(..) => true,
        }
    }
}

/// What stands under an address that its user is about to take. Node reads an id that is nobody's.
pub(super) fn announced(id: &str) -> String {
    format!("{id}\n{}", uuid::Uuid::new_v4())
}

impl RedisStore {
    /// The user with this name, and what stands under it.
    pub(super) async fn user_named(&self, name: Name<'_>) -> Result<Option<User>> {
        let Some(value) = self.get(&name.key(self)).await? else { return Ok(None) };
        let Some(id) = name.holder(&value) else { return Ok(None) };
        match self.find_user(&id).await? {
            Found::User(user, _) if name.is_of(&user) => Ok(Some(*user)),
            _ => Ok(None),
        }
    }

    pub(super) async fn find_user(&self, id: &str) -> Result<Found> {
        let Some(text) = self.get(&self.keys.user(id)).await? else { return Ok(Found::Missing) };
        if text == DEAD {
            return Ok(Found::Dead);
        }
        let user = record::user(&record::record(&text)?, id)?;
        Ok(user.map_or(Found::Missing, |user| Found::User(Box::new(user), text)))
    }

    /// Writes `value`, which gives the name to `id`, unless the name is somebody's.
    ///
    /// # Errors
    ///
    /// A conflict if it is.
    pub(super) async fn claim(&self, name: Name<'_>, id: &str, value: &str) -> Result<()> {
        let key = name.key(self);
        let mut patience = PATIENCE.0;
        for _ in 0..ATTEMPTS {
            let Some(current) = self.get(&key).await? else {
                if self.put(&key, value, None).await? {
                    return Ok(());
                }
                continue;
            };
            let Some(holder) = name.holder(&current) else {
                return Err(StoreError::conflict("the key of a name holds something else"));
            };
            let is_free = match self.find_user(&holder).await? {
                // Of the same user, of whom another call is taking it, or an earlier one was about to.
                Found::User(..) if holder == id && matches!(name, Name::Email(_)) => true,
                Found::User(user, _) if name.is_of(&user) => {
                    return Err(StoreError::conflict("somebody goes by this name"));
                }
                Found::User(..) => current == holder || patience == 0,
                Found::Dead => true,
                // A cluster may be asked twice if the first answer is lost.
                Found::Missing if holder == id => return Ok(()),
                Found::Missing => patience == 0 && self.bury(&holder).await?,
            };
            if is_free {
                if self.swap(&key, &current, value, None).await? {
                    return Ok(());
                }
            } else if patience > 0 {
                patience -= 1;
                tokio::time::sleep(PATIENCE.1).await;
            }
        }
        Err(StoreError::unavailable("a name changes hands all the time"))
    }

    /// Gives a name back, if `value` is what stands there.
    pub(super) async fn release(&self, name: Name<'_>, value: &str) -> Result<()> {
        self.drop_unchanged(&name.key(self), value).await.map(drop)
    }

    /// Sees to it that nobody comes to be under this id; `false` if somebody just has.
    async fn bury(&self, id: &str) -> Result<bool> {
        let mut command = redis::cmd("SET");
        command.arg(self.keys.user(id)).arg(DEAD).arg("NX").arg("PX").arg(DEAD_FOR);
        let buried: Option<String> = self.link.send(&command).await?;
        if buried.is_some() {
            self.delete(&[self.keys.user_accounts(id)]).await?;
        }
        Ok(buried.is_some())
    }
}
