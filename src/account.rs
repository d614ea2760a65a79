//! From who somebody is at a provider to who they are here: sign in, create, link or refuse
//! (`docs/protocol.md` section 11).

mod seal;

pub(crate) use self::seal::TokenSeal;
use crate::{
    clock::Timestamp,
    store::{Result as StoreResult, StoreError, StoreErrorKind, Stores, UserChange},
    user::{Account, User},
};

/// When an account that nobody has linked may sign in as the user who has its e-mail address.
///
/// Whoever controls an account at the provider with somebody else's address would be them. So by default nobody
/// is: the sign-in ends in `OAuthAccountNotLinked`, and people link accounts while they are signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LinkingPolicy {
    /// Never.
    #[default]
    Never,
    /// If the user has proved the address here, and the provider says that its user has proved it there. A user who
    /// has an account and has not proved the address cannot do so by a mailed link either: somebody else may have
    /// been first with it. For mailed links it is enough that one provider has this policy.
    VerifiedOnBothSides,
    /// Always: `allowDangerousEmailAccountLinking` of Auth.js. Whoever can enter an address at the provider can
    /// take the account here.
    Dangerous,
}

/// Who signed in.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) user: User,
    pub(crate) change: Change,
}

/// What a sign-in changed in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// The address was proved once more.
    Verified,
    /// The account was linked to a user who was there already.
    Linked,
    /// A user was made, with the account if it is one that is kept.
    Created {
        linked: bool,
    },
}

/// Why nobody signed in.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    /// Another user has the account, or the address.
    NotLinked,
    /// The store failed, which is in the log.
    Unavailable,
    /// It failed when a user was to be made.
    NotCreated,
}

impl From<StoreError> for NotAdmitted {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

/// How often a sign-in looks again when somebody else was faster. Each time one of them has got on.
const ATTEMPTS: usize = 3;

/// The user who signs in with a mailed link. Whoever has it controls the address.
///
/// Whoever was first with the address, without proof, may have been somebody else who still has a way in. Auth.js
/// takes no notice, and so does this, unless somebody `links_proved` addresses: then what was linked without proof must
/// not be proved by the next.
pub(crate) async fn admit_by_email(
    stores: &Stores,
    user: &User,
    links_proved: bool,
    now: Timestamp,
) -> Result<Admitted, NotAdmitted> {
    let Some(email) = user.email.as_deref() else { return Err(NotAdmitted::NotLinked) };
    for _ in 0..ATTEMPTS {
        if let Some(known) = stores.ask(stores.users.user_by_email(email)).await? {
            let unproved = links_proved && known.email_verified.is_none();
            if unproved && !stores.ask(stores.users.accounts_of(&known.id)).await?.is_empty() {
                return Err(NotAdmitted::NotLinked);
            }
            let verified = UserChange {
                email_verified: Some(now),
                // If they have another one by then, nobody has proved that.
                if_email: Some(email.to_owned()),
                ..UserChange::default()
            };
            if let Some(user) = stores.ask(stores.users.update_user(&known.id, verified)).await? {
                return Ok(Admitted { user, change: Change::Verified });
            }
            continue; // Deleted in between, or no longer theirs.
        }
        let fresh = User { email_verified: Some(now), ..user.clone() };
        if let Some(user) = created(stores, &fresh, None).await? {
            return Ok(Admitted { user, change: Change::Created { linked: false } });
        }
    }
    Err(contended())
}

/// The user who signs in with an account, made if there is none.
pub(crate) async fn admit(
    stores: &Stores,
    user: &User,
    account: &Account,
    policy: LinkingPolicy,
) -> Result<Admitted, NotAdmitted> {
    for _ in 0..ATTEMPTS {
        if let Some(user) = owner(stores, account).await? {
            return Ok(Admitted { user, change: Change::Nothing });
        }
        let namesake = match user.email.as_deref() {
            Some(email) => stores.ask(stores.users.user_by_email(email)).await?,
            None => None,
        };
        if let Some(namesake) = namesake {
            if !policy.admits(&namesake, user) {
                // Made since the first look, by the same account's sign-in in another tab.
                let owner = owner(stores, account).await?.ok_or(NotAdmitted::NotLinked)?;
                return Ok(Admitted { user: owner, change: Change::Nothing });
            }
            let linked = stores.ask(stores.users.link_account(&namesake.id, account)).await;
            if unless_taken(linked)?.is_some() {
                return Ok(Admitted { user: namesake, change: Change::Linked });
            }
        } else if let Some(user) = created(stores, &policy.stored(user), Some(account)).await? {
            return Ok(Admitted { user, change: Change::Created { linked: true } });
        }
    }
    Err(contended())
}

/// The user who is signed in, and now has this account, too. `None` if the store does not know them.
pub(crate) async fn admit_signed_in(
    stores: &Stores,
    user_id: &str,
    account: &Account,
) -> Result<Option<Admitted>, NotAdmitted> {
    let Some(user) = stores.ask(stores.users.user(user_id)).await? else { return Ok(None) };
    let change = link(stores, &user.id, account).await?;
    Ok(Some(Admitted { user, change }))
}

/// Links an account to a user who is signed in and asked for it.
pub(crate) async fn link(stores: &Stores, user_id: &str, account: &Account) -> Result<Change, NotAdmitted> {
    for _ in 0..ATTEMPTS {
        match owner(stores, account).await? {
            Some(owner) if owner.id == user_id => return Ok(Change::Nothing),
            Some(_) => return Err(NotAdmitted::NotLinked),
            None => {}
        }
        if unless_taken(stores.ask(stores.users.link_account(user_id, account)).await)?.is_some() {
            return Ok(Change::Linked);
        }
    }
    Err(contended())
}

/// The user whose id in the store an application knows.
pub(crate) async fn admit_stored(stores: &Stores, id: &str) -> Result<Admitted, NotAdmitted> {
    match stores.ask(stores.users.user(id)).await? {
        Some(user) => Ok(Admitted { user, change: Change::Nothing }),
        None => {
            tracing::error!(
                "the user who signed in is not in the store, although their id is said to be of it"
            );
            Err(NotAdmitted::NotLinked)
        }
    }
}

impl LinkingPolicy {
    fn admits(self, known: &User, comer: &User) -> bool {
        match self {
            Self::Never => false,
            Self::VerifiedOnBothSides => known.email_verified.is_some() && comer.email_verified.is_some(),
            Self::Dangerous => true,
        }
    }

    /// A new user as they are stored. That a provider has proved the address counts only where the policy asks for it;
    /// Auth.js takes an address for proved that was written to.
    fn stored(self, user: &User) -> User {
        let email_verified = user.email_verified.filter(|_| self == Self::VerifiedOnBothSides);
        User { email_verified, ..user.clone() }
    }
}

/// The user who was made; `None` if somebody else was faster.
async fn created(
    stores: &Stores,
    user: &User,
    account: Option<&Account>,
) -> Result<Option<User>, NotAdmitted> {
    let made = stores.ask(stores.users.create_user(user, account)).await;
    unless_taken(made).map_err(|_| NotAdmitted::NotCreated)
}

async fn owner(stores: &Stores, account: &Account) -> StoreResult<Option<User>> {
    stores.ask(stores.users.user_by_account(&account.provider, &account.provider_account_id)).await
}

/// `None` if somebody else was faster.
fn unless_taken<T>(made: StoreResult<T>) -> StoreResult<Option<T>> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(None),
        Err(error) => Err(error),
    }
}

fn contended() -> NotAdmitted {
    tracing::warn!("a sign-in was given up: others went on changing the same user or account");
    NotAdmitted::Unavailable
}
