//! Users in a store, and sessions in tokens: `strategy: "jwt"` of Auth.js with an adapter (`docs/protocol.md`
//! sections 9 and 11).

use std::{sync::Arc, time::Duration};

use portcullis::{
    Account, Auth, AuthBuilder, Client, RevocationPolicy, Secret, SessionIds, User,
    store::{MemoryStore, Store},
};

use crate::{
    accounts::enter,
    mail::{ask, link, mailing},
    site::{COOKIE, Gate, Waiting, act, browser, site},
    stores::on_each_store,
    support::{Browser, ManualClock, NOW, SECRET},
};

on_each_store![
    accounts_sign_in_by_the_table_of_accounts,
    mailed_links_sign_in_the_users_of_the_store,
    credentials_stay_outside_of_the_store,
    accounts_are_linked_to_the_user_of_a_token,
    s23_s24_tokens_end_where_revocations_are_kept,
    s25_nobody_ends_who_has_the_same_id_outside_of_the_store,
    s03_the_same_id_outside_of_the_store_is_somebody_else,
    a_store_that_is_away_takes_nobodys_token,
    a_verifier_of_a_store_only_reads,
];

fn in_tokens(store: &Arc<dyn Store>) -> AuthBuilder {
    site(store).1.sessions_in_tokens(true)
}

async fn sign_in(auth: &Auth, browser: &mut Browser, id: &str) -> bool {
    let user = User::new("of acme").name("Pat").email("pat@example.com");
    enter(auth, browser, &user, &Account::new("oauth", "acme", id)).await.is_ok()
}

/// A service that knows the secret and has no store.
fn beside() -> Auth {
    let clock = Waiting(ManualClock::at(NOW));
    Auth::verifier(Secret::new(SECRET)).clock(clock).build().unwrap()
}

async fn accounts_sign_in_by_the_table_of_accounts(store: Arc<dyn Store>) {
    let auth = in_tokens(&store).build().unwrap();
    let mut here = browser(&auth);
    assert!(sign_in(&auth, &mut here, "1").await);
    let known = store.user_by_account("acme", "1").await.unwrap().unwrap();
    assert_eq!(here.who().await, known.id);
    assert_ne!(known.id, "of acme");
    assert!(store.sessions_of(&known.id).await.unwrap().is_empty());
    // What is in the token is the store's, also to others.
    let bearer = format!("Bearer {}", here.jar[COOKIE]);
    assert_eq!(browser(&beside()).with_header("authorization", &bearer).who().await, known.id);
    assert_eq!(here.session().await["user"]["email"], "pat@example.com");
    // The same one again; and S38, nobody by the address alone.
    let mut there = browser(&auth);
    assert!(sign_in(&auth, &mut there, "1").await);
    assert_eq!(there.who().await, known.id);
    let mut attacker = browser(&auth);
    assert!(!sign_in(&auth, &mut attacker, "2").await);
    assert_eq!(attacker.who().await, "nobody");
}

async fn mailed_links_sign_in_the_users_of_the_store(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.sessions_in_tokens(true).build().unwrap();
    let mut ids = vec![];
    for _ in 0..2 {
        ask(&mut browser(&auth), "pat@example.com").await;
        let link = link(&mailbox.take()[0]);
        let (mut here, mut late) = (browser(&auth), browser(&auth));
        here.get(&link).await;
        late.get(&link).await;
        assert_eq!(late.who().await, "nobody");
        ids.push(here.who().await);
    }
    let known = store.user_by_email("pat@example.com").await.unwrap().unwrap();
    assert_eq!(ids, [&*known.id, &*known.id]);
    assert_eq!(known.email_verified.unwrap().as_secs(), NOW);
}

async fn credentials_stay_outside_of_the_store(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let auth = in_tokens(&store).build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    assert_eq!(here.who().await, "1");
    assert!(gate.calls().is_empty());
}

async fn accounts_are_linked_to_the_user_of_a_token(store: Arc<dyn Store>) {
    let auth = in_tokens(&store).build().unwrap();
    let mut here = browser(&auth);
    sign_in(&auth, &mut here, "1").await;
    let who = here.who().await;
    act(&auth, &mut here, async |context| {
        context.link_account(Account::new("oauth", "acme", "2")).await.unwrap();
    })
    .await;
    let mut there = browser(&auth);
    assert!(sign_in(&auth, &mut there, "2").await);
    assert_eq!(there.who().await, who);
    // Whoever is gone from the store is linked to nothing.
    auth.delete_user(&who).await.unwrap();
    let linked = act(&auth, &mut here, async |context| {
        context.link_account(Account::new("oauth", "acme", "3")).await.is_ok()
    });
    assert!(!linked.await);
    assert!(store.user_by_account("acme", "3").await.unwrap().is_none());
}

async fn s23_s24_tokens_end_where_revocations_are_kept(store: Arc<dyn Store>) {
    let policy = RevocationPolicy::within(Duration::from_secs(10)).unwrap();
    let auth = in_tokens(&store).revocation(MemoryStore::new(), policy).build().unwrap();
    let (mut here, mut there) = (browser(&auth), browser(&auth));
    sign_in(&auth, &mut here, "1").await;
    sign_in(&auth, &mut there, "1").await;
    let who = here.who().await;
    let mut thief = here.clone();
    here.sign_out().await;
    assert_eq!([thief.who().await, there.who().await], ["nobody", &*who]);
    assert!(auth.delete_user(&who).await.unwrap());
    assert_eq!(there.who().await, "nobody");
    // Who comes again is a new user.
    assert!(sign_in(&auth, &mut there, "1").await);
    let again = there.who().await;
    assert!(again != who && again != "nobody");
}

/// Somebody in the store, and whoever signs in with a password by the same id, each in two browsers.
async fn namesakes(
    store: &Arc<dyn Store>,
    builder: impl Fn() -> AuthBuilder,
) -> (Auth, String, [Browser; 4]) {
    let auth = builder().build().unwrap();
    let mut stored = [browser(&auth), browser(&auth)];
    for browser in &mut stored {
        assert!(sign_in(&auth, browser, "1").await);
    }
    let id = store.user_by_account("acme", "1").await.unwrap().unwrap().id;
    let [one, other] = stored;
    let mut all = [one, other, browser(&auth), browser(&auth)];
    for browser in &mut all[2..] {
        let user = User::new(&*id);
        act(&auth, browser, move |context| {
            let user = user.clone();
            async move { context.sign_in(user).await.unwrap() }
        })
        .await;
    }
    assert_eq!(who(&mut all).await, [&*id; 4]);
    (auth, id, all)
}

async fn who(browsers: &mut [Browser; 4]) -> [String; 4] {
    let [a, b, c, d] = browsers;
    [a.who().await, b.who().await, c.who().await, d.who().await]
}

async fn s25_nobody_ends_who_has_the_same_id_outside_of_the_store(store: Arc<dyn Store>) {
    let policy = RevocationPolicy::within(Duration::from_secs(10)).unwrap();
    let kept = || in_tokens(&store).revocation(MemoryStore::new(), policy);
    for (actor, others, all) in [(0, [0, 2, 3], [2, 3]), (2, [0, 1, 2], [0, 1])] {
        let (auth, id, mut browsers) = namesakes(&store, kept).await;
        let left =
            |is_left: &[usize]| [0, 1, 2, 3].map(|n| if is_left.contains(&n) { &*id } else { "nobody" });
        act(&auth, &mut browsers[actor], async |context| context.end_other_sessions().await.unwrap()).await;
        assert_eq!(who(&mut browsers).await, left(&others));
        act(&auth, &mut browsers[actor], async |context| context.end_all_sessions().await.unwrap()).await;
        assert_eq!(who(&mut browsers).await, left(&all));
    }
    // The application may mean either.
    let (auth, id, mut browsers) = namesakes(&store, kept).await;
    auth.end_sessions_of(&id).await.unwrap();
    assert_eq!(who(&mut browsers).await, ["nobody"; 4]);
    // And who comes back in the same second is there again.
    let mut again = browser(&auth);
    act(&auth, &mut again, move |context| {
        let user = User::new(&*id);
        async move { context.sign_in(user).await.unwrap() }
    })
    .await;
    assert_ne!(again.who().await, "nobody");
}

async fn s03_the_same_id_outside_of_the_store_is_somebody_else(store: Arc<dyn Store>) {
    let (auth, id, browsers) = namesakes(&store, || in_tokens(&store)).await;
    let both = |one: usize, other: usize| {
        let [one, other] = [one, other].map(|n| &browsers[n].jar[COOKIE]);
        format!("{COOKIE}={one}; {COOKIE}={other}")
    };
    for (one, other, expected) in [(0, 1, &*id), (2, 3, &*id), (0, 2, "nobody"), (3, 1, "nobody")] {
        let mut asking = browser(&auth).with_header("cookie", &both(one, other));
        assert_eq!(asking.who().await, expected, "{one} and {other}");
    }
}

async fn a_store_that_is_away_takes_nobodys_token(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    let auth = in_tokens(&store).build().unwrap();
    let mut here = browser(&auth);
    sign_in(&auth, &mut here, "1").await;
    let who = here.who().await;
    gate.fail();
    assert_eq!(here.who().await, who, "a token needs no store");
    let mut visitor = browser(&auth);
    assert!(!sign_in(&auth, &mut visitor, "1").await);
    assert_eq!(visitor.who().await, "nobody");
}

/// Whatever is asked of it.
async fn a_verifier_of_a_store_only_reads(store: Arc<dyn Store>) {
    let gate = Gate::new(store);
    let store: Arc<dyn Store> = Arc::new(gate.clone());
    for ids in [SessionIds::Hashed, SessionIds::Raw] {
        let (clock, builder) = site(&store);
        let auth = builder.session_ids(ids).record_clients(Client::of_request).build().unwrap();
        let verifier = Auth::verifier_of(Arc::clone(&store)).session_ids(ids).clock(Waiting(clock.clone()));
        let verifier = verifier.build().unwrap();
        let mut here = browser(&auth);
        here.sign_in("jsmith", "hunter2").await;
        let (who, jar) = (here.who().await, here.jar.clone());
        clock.advance(Duration::from_secs(20 * 24 * 3600));
        gate.calls();
        let mut there = Browser { jar: jar.clone(), ..browser(&verifier) };
        assert_eq!(there.who().await, who);
        act(&verifier, &mut there, async |context| {
            assert!(context.change_data(|data| drop(data.insert("a".into(), 1.into()))).await.is_err());
            assert!(context.sign_in(User::new("2")).await.is_err());
            assert!(context.link_account(Account::new("oauth", "acme", "1")).await.is_err());
            assert!(context.end_other_sessions().await.is_err() && context.renew_id().await.is_err());
            context.sign_out().await.unwrap();
        })
        .await;
        assert_eq!(there.jar, jar);
        assert!(gate.calls().iter().all(|call| *call == "session_and_user"));
        // What is down is not nobody.
        gate.fail();
        assert_eq!(there.who().await, "SessionUnavailable");
        gate.open();
        // A token is no row, and a row is no token.
        let mut token = browser(&in_tokens(&store).build().unwrap());
        token.sign_in("jsmith", "hunter2").await;
        assert_eq!(browser(&verifier).with_cookie(COOKIE, &token.jar[COOKIE]).who().await, "nobody");
        assert_eq!(browser(&beside()).with_cookie(COOKIE, &jar[COOKIE]).who().await, "nobody");
    }
}
