//! The table of `docs/protocol.md` section 11: who an account signs in as. Rows S37, S38 and S89 of
//! `docs/security.md`.

use std::sync::{Arc, Mutex};

use portcullis::{
    Account, Auth, AuthBuilder, CredentialsUsers, Event, LinkingPolicy, SignInError, Timestamp, User,
    store::{Store, StoreErrorKind, UserChange, UserStore},
};

use tokio::task::yield_now;

use crate::{
    site::{Gate, act, browser, site},
    stores::on_each_store,
    support::{Browser, NOW},
};

on_each_store![
    an_account_that_is_known_signs_in_its_user,
    an_account_that_is_not_known_makes_a_user,
    s38_an_address_links_nothing_by_default,
    s38_verified_on_both_sides,
    dangerous_linking_takes_any_address,
    links_are_asked_for,
    a_mailed_link_proves_the_address,
    s38_a_mailed_link_proves_no_other_address,
    s37_accounts_are_compared_exactly,
    s89_two_first_sign_ins_make_one_user,
    credentials_of_the_store,
    credentials_of_the_applications_own,
];

fn at_acme(id: &str) -> Account {
    Account::new("oauth", "acme", id)
}

fn pat() -> User {
    User::new("").name("Pat").email("pat@example.com")
}

/// Signs `user` in with `account` in this browser.
pub async fn enter(
    auth: &Auth,
    browser: &mut Browser,
    user: &User,
    account: &Account,
) -> Result<(), SignInError> {
    let (user, account) = (user.clone(), account.clone());
    act(auth, browser, move |context| {
        let (user, account) = (user.clone(), account.clone());
        async move { context.sign_in_with(user, account).await }
    })
    .await
}

/// The same, and answers as whom.
async fn sign_in(
    auth: &Auth,
    browser: &mut Browser,
    user: &User,
    account: &Account,
) -> Result<String, SignInError> {
    enter(auth, browser, user, account).await?;
    Ok(browser.who().await)
}

/// A site that notes the names of its events.
fn noting(builder: AuthBuilder) -> (AuthBuilder, Arc<Mutex<Vec<&'static str>>>) {
    let seen = Arc::new(Mutex::new(vec![]));
    let notes = Arc::clone(&seen);
    let builder = builder.on_event(move |event| {
        let name = match event {
            Event::SignIn { is_new_user: Some(true), .. } => Some("signIn of a new user"),
            Event::SignIn { .. } => Some("signIn"),
            Event::CreateUser { .. } => Some("createUser"),
            Event::UpdateUser { .. } => Some("updateUser"),
            Event::LinkAccount { .. } => Some("linkAccount"),
            _ => None,
        };
        notes.lock().unwrap().extend(name);
        async { Ok(()) }
    });
    (builder, seen)
}

fn take(seen: &Mutex<Vec<&'static str>>) -> Vec<&'static str> {
    std::mem::take(&mut *seen.lock().unwrap())
}

async fn an_account_that_is_known_signs_in_its_user(store: Arc<dyn Store>) {
    let (builder, seen) = noting(site(&store).1);
    let auth = builder.build().unwrap();
    let mut here = browser(&auth);
    let who = sign_in(&auth, &mut here, &pat(), &at_acme("1")).await.unwrap();
    assert_eq!(take(&seen), ["createUser", "linkAccount", "signIn of a new user"]);
    // Again, with another name at the provider: the profile is not taken over.
    let renamed = pat().name("Patricia");
    assert_eq!(sign_in(&auth, &mut browser(&auth), &renamed, &at_acme("1")).await.unwrap(), who);
    assert_eq!(take(&seen), ["signIn"]);
    assert_eq!(store.user(&who).await.unwrap().unwrap().name.as_deref(), Some("Pat"));
    // While somebody else is signed in: the browser changes hands.
    let mut other = browser(&auth);
    other.sign_in("admin", "hunter2").await;
    assert_eq!(sign_in(&auth, &mut other, &pat(), &at_acme("1")).await.unwrap(), who);
}

async fn an_account_that_is_not_known_makes_a_user(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let who = sign_in(&auth, &mut browser(&auth), &pat(), &at_acme("1")).await.unwrap();
    let user = store.user(&who).await.unwrap().unwrap();
    assert_eq!((user.name.as_deref(), user.email.as_deref()), (Some("Pat"), Some("pat@example.com")));
    assert_eq!(user.email_verified, None);
    assert_eq!(store.accounts_of(&who).await.unwrap(), [at_acme("1")]);
    // Without an address nobody is anybody's namesake.
    let nameless = User::new("");
    let one = sign_in(&auth, &mut browser(&auth), &nameless, &at_acme("2")).await.unwrap();
    let two = sign_in(&auth, &mut browser(&auth), &nameless, &at_acme("3")).await.unwrap();
    assert!(one != two && one != who);
}

async fn s38_an_address_links_nothing_by_default(store: Arc<dyn Store>) {
    let (builder, seen) = noting(site(&store).1);
    let auth = builder.build().unwrap();
    let verified = pat().email_verified(Timestamp::from_secs(NOW));
    sign_in(&auth, &mut browser(&auth), &verified, &at_acme("1")).await.unwrap();
    take(&seen);
    let mut attacker = browser(&auth);
    let error =
        sign_in(&auth, &mut attacker, &verified, &Account::new("oauth", "evil", "1")).await.unwrap_err();
    assert!(error.is_not_linked() && !error.is_denied());
    assert_eq!(attacker.who().await, "nobody");
    assert!(take(&seen).is_empty());
    assert!(store.user_by_account("evil", "1").await.unwrap().is_none());
}

async fn s38_verified_on_both_sides(store: Arc<dyn Store>) {
    let auth = site(&store).1.linking(LinkingPolicy::VerifiedOnBothSides).build().unwrap();
    let now = Timestamp::from_secs(NOW);
    let (unproved, proved) = (pat(), pat().email_verified(now));
    let who = sign_in(&auth, &mut browser(&auth), &unproved, &at_acme("1")).await.unwrap();
    // Proved there, not here: whoever entered the address here first would get the other's account.
    let error = sign_in(&auth, &mut browser(&auth), &proved, &at_acme("2")).await.unwrap_err();
    assert!(error.is_not_linked());
    // By mail neither: that would prove the address for whoever was first with it.
    let by_mail = Account::new("email", "email", "pat@example.com");
    let error = sign_in(&auth, &mut browser(&auth), &pat(), &by_mail).await.unwrap_err();
    assert!(error.is_not_linked());
    assert_eq!(store.user(&who).await.unwrap().unwrap().email_verified, None);
    // Somebody who has nothing but the address can.
    store.delete_user(&who).await.unwrap();
    let who = sign_in(&auth, &mut browser(&auth), &pat(), &by_mail).await.unwrap();
    let error = sign_in(&auth, &mut browser(&auth), &unproved, &at_acme("2")).await.unwrap_err();
    assert!(error.is_not_linked());
    assert_eq!(sign_in(&auth, &mut browser(&auth), &proved, &at_acme("2")).await.unwrap(), who);
    assert_eq!(store.accounts_of(&who).await.unwrap(), [at_acme("2")]);
}

async fn dangerous_linking_takes_any_address(store: Arc<dyn Store>) {
    let (builder, seen) = noting(site(&store).1.linking(LinkingPolicy::Dangerous));
    let auth = builder.build().unwrap();
    let who = sign_in(&auth, &mut browser(&auth), &pat(), &at_acme("1")).await.unwrap();
    take(&seen);
    assert_eq!(sign_in(&auth, &mut browser(&auth), &pat(), &at_acme("2")).await.unwrap(), who);
    // v4 calls whoever is linked new.
    assert_eq!(take(&seen), ["linkAccount", "signIn of a new user"]);
}

async fn links_are_asked_for(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut here = browser(&auth);
    let who = sign_in(&auth, &mut here, &pat(), &at_acme("1")).await.unwrap();
    let link = async |browser: &mut Browser, id: &'static str| {
        act(&auth, browser, async move |context| context.link_account(at_acme(id)).await).await
    };
    link(&mut here, "2").await.unwrap();
    link(&mut here, "2").await.unwrap();
    assert_eq!(here.who().await, who);
    assert_eq!(sign_in(&auth, &mut browser(&auth), &User::new(""), &at_acme("2")).await.unwrap(), who);
    // Not what somebody else has, and not for nobody.
    let mut other = browser(&auth);
    sign_in(&auth, &mut other, &User::new(""), &at_acme("3")).await.unwrap();
    assert!(link(&mut other, "2").await.unwrap_err().is_not_linked());
    assert!(link(&mut browser(&auth), "4").await.is_err());
    assert!(store.user_by_account("acme", "4").await.unwrap().is_none());
}

async fn a_mailed_link_proves_the_address(store: Arc<dyn Store>) {
    let (builder, seen) = noting(site(&store).1);
    let auth = builder.build().unwrap();
    let by_mail = Account::new("email", "email", "pat@example.com");
    let mut here = browser(&auth);
    let who = sign_in(&auth, &mut here, &User::new("").email("pat@example.com"), &by_mail).await.unwrap();
    assert_eq!(take(&seen), ["createUser", "signIn of a new user"]);
    let proved = async || store.user(&who).await.unwrap().unwrap().email_verified.map(Timestamp::as_secs);
    assert_eq!(proved().await, Some(NOW));
    assert!(store.accounts_of(&who).await.unwrap().is_empty());
    assert_eq!(sign_in(&auth, &mut browser(&auth), &pat(), &by_mail).await.unwrap(), who);
    assert_eq!(take(&seen), ["updateUser", "signIn"]);
}

/// Also if it changes just then: at each turn of the sign-in.
async fn s38_a_mailed_link_proves_no_other_address(store: Arc<dyn Store>) {
    let auth = site(&Gate::pausing(&store)).1.build().unwrap();
    for turns in 0..24 {
        let (old, new) = (format!("old{turns}@example.com"), format!("new{turns}@example.com"));
        let user = store.create_user(&User::new("").email(&*old), None).await.unwrap();
        let move_away = async {
            for _ in 0..turns {
                yield_now().await;
            }
            let mut change = UserChange::default();
            change.email = Some(new.clone());
            store.update_user(&user.id, change).await.unwrap();
        };
        let (by_mail, whoever) = (Account::new("email", "email", &*old), User::new("").email(&*old));
        let mut browser = browser(&auth);
        let (entered, ()) = tokio::join!(enter(&auth, &mut browser, &whoever, &by_mail), move_away);
        entered.unwrap();
        let user = store.user(&user.id).await.unwrap().unwrap();
        assert_eq!((user.email, user.email_verified), (Some(new), None), "after {turns} turns");
    }
}

async fn s37_accounts_are_compared_exactly(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let nameless = User::new("");
    let mut seen = vec![];
    for (provider, id) in [
        ("acme", "Ab"),
        ("acme", "AB"),
        ("acme", "ab"),
        ("acme", "ab "),
        ("acme", " ab"),
        ("acme", "a\u{301}"),
        ("acme", "\u{e1}"),
        ("other", "ab"),
        ("acme:ab", "c"),
        ("acme", "ab:c"),
    ] {
        let account = Account::new("oauth", provider, id);
        let who = sign_in(&auth, &mut browser(&auth), &nameless, &account).await.unwrap();
        assert!(!seen.contains(&who), "{provider} {id}");
        seen.push(who);
    }
    // Without an id all would be one.
    assert!(
        sign_in(&auth, &mut browser(&auth), &nameless, &Account::new("oauth", "acme", "")).await.is_err()
    );
}

async fn s89_two_first_sign_ins_make_one_user(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    for (round, user) in [pat(), User::new("")].into_iter().enumerate() {
        let account = at_acme(&format!("round {round}"));
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let (auth, user, account) = (auth.clone(), user.clone(), account.clone());
            racers.spawn(async move { sign_in(&auth, &mut browser(&auth), &user, &account).await.unwrap() });
        }
        let mut users = vec![];
        while let Some(user) = racers.join_next().await {
            users.push(user.unwrap());
        }
        users.dedup();
        assert_eq!(users.len(), 1, "{user:?}");
        assert_eq!(store.accounts_of(&users[0]).await.unwrap().len(), 1);
    }
}

async fn credentials_of_the_store(store: Arc<dyn Store>) {
    // `authorize` answers ids of the store: here one that exists, and one that does not.
    let known = store.create_user(&pat(), None).await.unwrap();
    let id = known.id.clone();
    let auth = site(&store).1.credentials_users(CredentialsUsers::Stored).build().unwrap();
    let mut here = browser(&auth);
    act(&auth, &mut here, move |context| {
        let user = User::new(id.clone());
        async move { context.sign_in(user).await.unwrap() }
    })
    .await;
    assert_eq!(here.who().await, known.id);
    assert!(store.accounts_of(&known.id).await.unwrap().is_empty());
    let mut nobody = browser(&auth);
    assert_eq!(nobody.sign_in("jsmith", "hunter2").await.status, 403);
    assert_eq!(nobody.who().await, "nobody");
}

async fn credentials_of_the_applications_own(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    let who = here.who().await;
    let account = store.user_by_account("credentials", "1").await.unwrap().unwrap();
    assert_eq!(account.id, who);
    // Nobody is taken for another because of an address.
    let error =
        sign_in(&auth, &mut browser(&auth), &User::new("").email("jsmith@example.com"), &at_acme("1"))
            .await
            .unwrap_err();
    assert!(error.is_not_linked());
    let taken = store.create_user(&User::new("").email("jsmith@example.com"), None).await.unwrap_err();
    assert_eq!(taken.kind(), StoreErrorKind::Conflict);
}
