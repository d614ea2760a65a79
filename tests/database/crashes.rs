//! A store that goes away between two steps: row S89 of `docs/security.md`.
//!
//! At each call of each operation, once before the store has done anything and once when it has and nobody hears of
//! it. Afterwards nobody is half made: whoever tries again gets what they would have got, and the same user.

use std::{fmt, sync::Arc};

use portcullis::{
    Account, Auth, AuthBuilder, Email, LinkingPolicy, User,
    store::{MemoryStore, Store},
};

use crate::{
    accounts::enter,
    mail::{ask, link, mailing, mailing_with},
    site::{COOKIE, Crash, Gate, HOUR, browser, context, site},
    stores::on_each_store,
    support::Browser,
};

on_each_store![
    s89_a_sign_in_breaks_off,
    s89_a_sign_in_over_another_breaks_off,
    s89_a_sign_in_with_an_account_breaks_off,
    s89_a_link_between_accounts_breaks_off,
    s89_a_mailed_link_breaks_off,
    s89_a_new_id_breaks_off,
    s89_the_end_of_a_user_breaks_off,
    s89_the_end_of_a_user_breaks_off_between_two_stores,
];

/// The site behind a gate, and the one that does without.
struct Sites {
    gate: Gate,
    shaky: Auth,
    sound: Auth,
}

fn sites(store: &Arc<dyn Store>, with: impl Fn(AuthBuilder) -> AuthBuilder) -> Sites {
    let gate = Gate::new(Arc::clone(store));
    let behind: Arc<dyn Store> = Arc::new(gate.clone());
    let [shaky, sound] = [&behind, store].map(|store| with(site(store).1).build().unwrap());
    Sites { gate, shaky, sound }
}

/// The call at which a gate goes away.
struct Point<'g> {
    gate: &'g Gate,
    call: usize,
    crash: Crash,
}

impl Point<'_> {
    /// From here on calls count.
    fn arm(&self) {
        self.gate.calls();
        self.gate.crash(self.call, self.crash);
    }
}

impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} call {}", self.crash, self.call)
    }
}

/// Does `attempt` with a gate that goes away at its first call, at its second and so on, until there is no such call.
/// It says whether what it did at the gate got through.
async fn at_each_call(gate: &Gate, attempt: impl AsyncFn(&Point<'_>) -> bool) {
    for crash in [Crash::Before, Crash::After] {
        for call in 0.. {
            let point = Point { gate, call, crash };
            let through = attempt(&point).await;
            gate.open();
            let calls = gate.calls();
            assert_eq!(through, calls.len() <= call, "{point}: {calls:?}");
            if through {
                assert!(call > 0, "there is nothing that could break off");
                break;
            }
        }
    }
}

async fn only_user(store: &Arc<dyn Store>, account: (&str, &str)) -> String {
    let user = store.user_by_account(account.0, account.1).await.unwrap().unwrap();
    assert_eq!(store.accounts_of(&user.id).await.unwrap().len(), 1);
    user.id
}

async fn s89_a_sign_in_breaks_off(store: Arc<dyn Store>) {
    let Sites { gate, shaky, sound } = sites(&store, |site| site);
    at_each_call(&gate, async |at| {
        at.arm();
        let mut here = browser(&shaky);
        let through = here.sign_in("jsmith", "hunter2").await.status == 200;
        gate.open();
        assert_eq!(here.jar.contains_key(COOKIE), through, "{at}");
        // The next one signs in, and is the only user.
        let mut there = browser(&sound);
        assert_eq!(there.sign_in("jsmith", "hunter2").await.status, 200, "{at}");
        let user = only_user(&store, ("credentials", "1")).await;
        assert_eq!(there.who().await, user, "{at}");
        // From the beginning for the next round.
        assert!(sound.delete_user(&user).await.unwrap());
        assert!(store.sessions_of(&user).await.unwrap().is_empty(), "{at}");
        through
    })
    .await;
}

async fn s89_a_sign_in_over_another_breaks_off(store: Arc<dyn Store>) {
    let Sites { gate, shaky, sound } = sites(&store, |site| site);
    at_each_call(&gate, async |at| {
        let mut here = browser(&sound);
        here.sign_in("admin", "hunter2").await;
        let (admin, before) = (here.who().await, here.jar[COOKIE].clone());
        let mut shaken = Browser { jar: here.jar.clone(), ..browser(&shaky) };
        at.arm();
        let through = shaken.sign_in("jsmith", "hunter2").await.status == 200;
        gate.open();
        let old = browser(&sound).with_cookie(COOKIE, &before).who().await;
        if through {
            assert_eq!(old, "nobody");
            let new = browser(&sound).with_cookie(COOKIE, &shaken.jar[COOKIE]).who().await;
            assert!(new != "nobody" && new != admin, "{new}");
        } else {
            // Who they were before, or, if only the answer was lost, nobody.
            assert_eq!(shaken.jar[COOKIE], before, "{at}");
            assert!(old == admin || (old == "nobody" && at.crash == Crash::After), "{at}: {old}");
        }
        sound.end_sessions_of(&admin).await.unwrap();
        through
    })
    .await;
}

fn pat() -> User {
    User::new("").name("Pat").email("pat@example.com")
}

async fn sign_in_with(auth: &Auth, browser: &mut Browser, id: &str) -> bool {
    enter(auth, browser, &pat(), &Account::new("oauth", "acme", id)).await.is_ok()
}

async fn s89_a_sign_in_with_an_account_breaks_off(store: Arc<dyn Store>) {
    let Sites { gate, shaky, sound } = sites(&store, |site| site);
    at_each_call(&gate, async |at| {
        let (mut here, mut there) = (browser(&shaky), browser(&sound));
        at.arm();
        let through = sign_in_with(&shaky, &mut here, "1").await;
        gate.open();
        assert_eq!(here.jar.contains_key(COOKIE), through, "{at}");
        assert!(sign_in_with(&sound, &mut there, "1").await, "{at}");
        let user = only_user(&store, ("acme", "1")).await;
        assert_eq!(there.who().await, user, "{at}");
        let with_the_address = store.user_by_email("pat@example.com").await.unwrap().unwrap();
        assert_eq!(with_the_address.id, user, "{at}");
        sound.delete_user(&user).await.unwrap();
        through
    })
    .await;
}

async fn s89_a_link_between_accounts_breaks_off(store: Arc<dyn Store>) {
    let Sites { gate, shaky, sound } = sites(&store, |site| site.linking(LinkingPolicy::Dangerous));
    at_each_call(&gate, async |at| {
        let (mut first, mut second) = (browser(&sound), browser(&shaky));
        assert!(sign_in_with(&sound, &mut first, "1").await);
        let user = first.who().await;
        at.arm();
        let through = sign_in_with(&shaky, &mut second, "2").await;
        gate.open();
        assert_eq!(second.jar.contains_key(COOKIE), through, "{at}");
        let mut again = browser(&sound);
        assert!(sign_in_with(&sound, &mut again, "2").await, "{at}");
        assert_eq!(again.who().await, user, "{at}");
        assert_eq!(store.accounts_of(&user).await.unwrap().len(), 2, "{at}");
        sound.delete_user(&user).await.unwrap();
        through
    })
    .await;
}

/// Asking for a link, and opening it. Also S48: a later step that fails does not revive the token.
async fn s89_a_mailed_link_breaks_off(store: Arc<dyn Store>) {
    let gate = Gate::new(Arc::clone(&store));
    let behind: Arc<dyn Store> = Arc::new(gate.clone());
    let [(_, shaky, shaky_mails), (_, sound, _)] = [&behind, &store].map(mailing);
    let (shaky, sound) = (shaky.build().unwrap(), sound.build().unwrap());
    at_each_call(&gate, async |at| {
        at.arm();
        // Another address each time, so that none is sent too many.
        let address = format!("pat{}{:?}@example.com", at.call, at.crash);
        ask(&mut browser(&shaky), &address).await;
        // Mails leave after the last call.
        let mail = shaky_mails.take().pop();
        gate.open();
        if let Some(mail) = &mail {
            let mut here = browser(&sound);
            here.get(&link(mail)).await;
            assert_ne!(here.who().await, "nobody", "{at}: a mail that was sent is good");
        }
        mail.is_some()
    })
    .await;
    let unlimited = |email: Email| email.limit(0, HOUR);
    let [(_, shaky, _), (_, sound, mails)] = [&behind, &store].map(|store| mailing_with(store, unlimited));
    let (shaky, sound) = (shaky.build().unwrap(), sound.build().unwrap());
    at_each_call(&gate, async |at| {
        ask(&mut browser(&sound), "pat@example.com").await;
        let first = link(&mails.take()[0]);
        let mut here = browser(&shaky);
        at.arm();
        here.get(&first).await;
        let through = here.jar.contains_key(COOKIE);
        gate.open();
        let mut second = browser(&sound);
        second.get(&first).await;
        let used = second.who().await == "nobody";
        // Only if nothing was done with it at all.
        assert!(used || (at.call, at.crash) == (0, Crash::Before), "{at}");
        ask(&mut browser(&sound), "pat@example.com").await;
        let mut there = browser(&sound);
        there.get(&link(&mails.take()[0])).await;
        let user = store.user_by_email("pat@example.com").await.unwrap().unwrap();
        assert_eq!(there.who().await, user.id, "{at}");
        assert!(user.email_verified.is_some(), "{at}");
        sound.delete_user(&user.id).await.unwrap();
        through
    })
    .await;
}

async fn s89_a_new_id_breaks_off(store: Arc<dyn Store>) {
    let Sites { gate, shaky, sound } = sites(&store, |site| site);
    at_each_call(&gate, async |at| {
        let mut here = browser(&sound);
        here.sign_in("jsmith", "hunter2").await;
        let (who, before) = (here.who().await, here.jar[COOKIE].clone());
        let context = context(&shaky, &here).await;
        at.arm();
        let through = context.renew_id().await.is_ok();
        gate.open();
        let old = browser(&sound).with_cookie(COOKIE, &before).who().await;
        assert!(if through { old == "nobody" } else { old == who || old == "nobody" }, "{at}: {old}");
        sound.end_sessions_of(&who).await.unwrap();
        assert!(store.sessions_of(&who).await.unwrap().is_empty(), "{at}");
        through
    })
    .await;
}

async fn s89_the_end_of_a_user_breaks_off(store: Arc<dyn Store>) {
    let Sites { gate, shaky, sound } = sites(&store, |site| site);
    end_of_a_user(&gate, &shaky, &sound, &store, &store).await;
}

async fn s89_the_end_of_a_user_breaks_off_between_two_stores(users: Arc<dyn Store>) {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let gate = Gate::new(Arc::clone(&users));
    let (memory_gate, behind): (Gate, Arc<dyn Store>) =
        (Gate::new(Arc::clone(&memory)), Arc::new(gate.clone()));
    let shaky = site(&behind).1.session_store(Arc::clone(&memory)).build().unwrap();
    let sound = site(&users).1.session_store(Arc::clone(&memory)).build().unwrap();
    end_of_a_user(&gate, &shaky, &sound, &users, &memory).await;
    // And where the sessions are.
    let shaky = site(&users).1.session_store(memory_gate.clone()).build().unwrap();
    end_of_a_user(&memory_gate, &shaky, &sound, &users, &memory).await;
}

/// A user is there with their sessions, or gone with all of them; who asks again has them gone.
async fn end_of_a_user(
    gate: &Gate,
    shaky: &Auth,
    sound: &Auth,
    users: &Arc<dyn Store>,
    sessions: &Arc<dyn Store>,
) {
    at_each_call(gate, async |at| {
        let mut here = browser(sound);
        here.sign_in("jsmith", "hunter2").await;
        let who = here.who().await;
        at.arm();
        let through = shaky.delete_user(&who).await.is_ok();
        gate.open();
        let is_there = users.user(&who).await.unwrap().is_some();
        assert_eq!(here.who().await != "nobody", is_there, "{at}");
        assert!(!through || !is_there, "{at}");
        sound.delete_user(&who).await.unwrap();
        assert_eq!(here.who().await, "nobody", "{at}");
        assert!(users.user(&who).await.unwrap().is_none(), "{at}");
        assert!(users.user_by_account("credentials", "1").await.unwrap().is_none(), "{at}");
        assert!(sessions.sessions_of(&who).await.unwrap().is_empty(), "{at}");
        through
    })
    .await;
}
