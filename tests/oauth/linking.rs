//! To whom an account may be linked: by intent, or by addresses that are proved on both sides.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Account, Auth, AuthLayer, BoxError, Credentials, Dialect, Email, Field, LinkingPolicy, SessionUser,
    Timestamp, User, get_auth_context,
    mail::Mailbox,
    store::{MemoryStore, Store, UserStore},
};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use crate::{
    packages::{is_check, is_own},
    provider::{Ending, Provider, Reply},
    site::{
        at_provider, begin, browser, builder, is_session, is_signed_in, oidc, sign_in, sign_in_by_mail,
        site_with_store,
    },
    support::{Answer, App, Browser, NOW, app},
    time::Time,
};

/// A store, and a site on it with two providers whose users have other addresses.
struct World {
    store: Arc<dyn Store>,
    time: Time,
    acme: Provider,
    other: Provider,
    auth: Auth,
}

impl World {
    fn new(dialect: Dialect) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let time = Time::at_noon();
        let (acme, other) = (Provider::start(&time), Provider::start(&time));
        other.plan(|plan| plan.user = json!({ "sub": "bob-1", "email": "bob@example.com" }));
        let auth = site_with_store(&store, &time, &[("acme", &acme), ("other", &other)])
            .dialect(dialect)
            .build()
            .unwrap();
        Self { store, time, acme, other, auth }
    }

    async fn owner(&self, provider: &str, subject: &str) -> Option<User> {
        self.store.user_by_account(provider, subject).await.unwrap()
    }
}

/// S38: whoever is signed in, begins and comes back, has the account from then on.
#[tokio::test]
async fn s38_an_intent_links() {
    for dialect in Dialect::ALL {
        let world = World::new(dialect);
        let mut alice = browser(&world.auth);
        is_signed_in("acme", &sign_in(&mut alice, "acme").await);
        let id = alice.who().await;
        is_signed_in("other", &sign_in(&mut alice, "other").await);
        assert_eq!(alice.who().await, id, "{dialect}: still the same");
        assert_eq!(world.owner("other", "bob-1").await.unwrap().id, id);
        // An account of somebody else is not taken over, and nobody is signed in as them.
        let mut mallory = browser(&world.auth);
        world.acme.plan(|plan| plan.user = json!({ "sub": "mallory" }));
        is_signed_in("mallory", &sign_in(&mut mallory, "acme").await);
        let answer = sign_in(&mut mallory, "other").await;
        assert!(answer.header("location").unwrap().ends_with("error=OAuthAccountNotLinked"), "{answer:?}");
        assert_eq!(world.owner("other", "bob-1").await.unwrap().id, id);
    }
}

/// How a browser changes hands between the beginning and the end of a sign-in.
#[derive(Debug, Clone, Copy)]
enum Between {
    /// Begun as nobody; then somebody signs in.
    SignedIn,
    /// Begun by one user; then another one signs in.
    Another,
    /// Begun by a user who signs out.
    SignedOut,
}

/// S38: an account is linked to whoever began, and only while they are there.
#[tokio::test]
async fn s38_nobody_else_is_linked() {
    for dialect in Dialect::ALL {
        for between in [Between::SignedIn, Between::Another, Between::SignedOut] {
            for plain in [false, true] {
                if plain && dialect == Dialect::V3 {
                    continue; // It has no such cookies.
                }
                let world = World::new(dialect);
                let mut victim = browser(&world.auth);
                is_signed_in("acme", &sign_in(&mut victim, "acme").await);
                let id = victim.who().await;
                let mut attacker = browser(&world.auth);
                if matches!(between, Between::Another | Between::SignedOut) {
                    world.acme.plan(|plan| plan.user = json!({ "sub": "mallory" }));
                    is_signed_in("mallory", &sign_in(&mut attacker, "acme").await);
                    world.acme.plan(|_| {});
                }
                let url = begin(&mut attacker, "other").await.unwrap();
                let back = at_provider(&url).await;
                if matches!(between, Between::SignedOut) {
                    attacker.sign_out().await;
                } else {
                    // The attacker plants what binds the answer in the victim's browser.
                    plant(&attacker, &mut victim, plain);
                    attacker = victim;
                }
                attacker.get(&back).await;
                let owner = world.owner("other", "bob-1").await;
                if plain && !matches!(between, Between::SignedOut) {
                    assert!(
                        owner.is_none(),
                        "{dialect}: {between:?}: what was begun here needs its own cookie"
                    );
                    continue;
                }
                let owner = owner.unwrap();
                assert_ne!(owner.id, id, "{dialect}: {between:?}: the account was linked to the victim");
                if let Some(mallory) = world.owner("acme", "mallory").await {
                    assert_ne!(
                        owner.id, mallory.id,
                        "{dialect}: {between:?}: it was linked to whoever is gone"
                    );
                }
            }
        }
    }
}

/// What a sibling domain can do: set cookies. `plain`: only those of the dialect.
fn plant(from: &Browser, to: &mut Browser, plain: bool) {
    for (name, value) in &from.jar {
        if is_check(name) || (is_own(name) && !plain) {
            to.jar.insert(name.clone(), value.clone());
        }
    }
}

/// A user who is there before, with this address, proved or not, and who has no account.
async fn namesake(world: &World, proved: bool) -> User {
    let mut user = User::new("").email("alice@example.com");
    if proved {
        user = user.email_verified(Timestamp::from_secs(NOW));
    }
    world.store.create_user(&user, None).await.unwrap()
}

/// S38: who gets in as the user that has the address already, by what both sides have proved.
#[tokio::test]
async fn s38_addresses_are_proved_on_both_sides() {
    let says: [(&str, Option<Value>, bool); 8] = [
        ("true", Some(json!(true)), true),
        ("true in text", Some(json!("true")), true),
        ("false", Some(json!(false)), false),
        ("false in text", Some(json!("false")), false),
        ("TRUE in text", Some(json!("TRUE")), false),
        ("one", Some(json!(1)), false),
        ("null", Some(Value::Null), false),
        ("nothing", None, false),
    ];
    for dialect in Dialect::ALL {
        for policy in [LinkingPolicy::Never, LinkingPolicy::VerifiedOnBothSides, LinkingPolicy::Dangerous] {
            for here in [false, true] {
                for (case, verified, there) in &says {
                    let mut world = World::new(dialect);
                    world.auth = site_with_store(&world.store, &world.time, &[("acme", &world.acme)])
                        .dialect(dialect)
                        .linking(policy)
                        .build()
                        .unwrap();
                    let known = namesake(&world, here).await;
                    world.acme.plan(|plan| {
                        if let Some(verified) = verified {
                            plan.user["email_verified"] = verified.clone();
                        }
                    });
                    let mut browser = browser(&world.auth);
                    let answer = sign_in(&mut browser, "acme").await;
                    let links = match policy {
                        LinkingPolicy::VerifiedOnBothSides => here && *there,
                        LinkingPolicy::Dangerous => true,
                        _ => false,
                    };
                    let case = format!("{dialect}: {policy:?}, proved here: {here}, there: {case}");
                    judge(&case, links.then_some(&known), &mut browser, &answer).await;
                    assert_eq!(world.owner("acme", "alice-1").await.is_some(), links, "{case}");
                }
            }
        }
    }
}

async fn judge(case: &str, expected: Option<&User>, browser: &mut Browser, answer: &Answer) {
    match expected {
        Some(user) => {
            is_signed_in(case, answer);
            assert_eq!(browser.who().await, user.id, "{case}");
        }
        None => {
            let to = answer.header("location").unwrap();
            assert!(to.ends_with("error=OAuthAccountNotLinked"), "{case}: {to}");
            assert!(!is_session(answer), "{case}");
        }
    }
}

/// S38: a proof goes with its address: what the userinfo endpoint says of another one proves nothing.
#[tokio::test]
async fn s38_a_proof_is_of_one_address() {
    let says: [Ending<Value, bool, Reply>; 3] = [
        ("another address", |_| userinfo(json!("mallory@example.com")), false),
        ("no address", |_| userinfo(Value::Null), false),
        ("the same one", |_| userinfo(json!("Alice@Example.com")), true),
    ];
    for (case, says, links) in says {
        let mut world = World::new(Dialect::V4);
        let acme = oidc("acme", &world.acme).reading_userinfo();
        world.auth = builder(&world.time)
            .store(Arc::clone(&world.store))
            .linking(LinkingPolicy::VerifiedOnBothSides)
            .provider(acme)
            .build()
            .unwrap();
        let known = namesake(&world, true).await;
        world.acme.plan(|plan| plan.userinfo = says);
        let mut browser = browser(&world.auth);
        let answer = sign_in(&mut browser, "acme").await;
        judge(case, links.then_some(&known), &mut browser, &answer).await;
    }
}

/// S38: an ID token that names no address proves none, not the one that the userinfo endpoint names either.
#[tokio::test]
async fn s38_a_proof_without_an_address_proves_none() {
    type Says = (&'static str, fn(Value) -> Value, fn(Value) -> Reply, bool);
    let says: [Says; 5] = [
        ("the token alone", |claims| without_address(claims, Some(true)), |_| said(None), false),
        ("one yes, one no", |claims| without_address(claims, Some(true)), |_| said(Some(false)), false),
        ("one no, one yes", |claims| without_address(claims, Some(false)), |_| said(Some(true)), false),
        ("the endpoint alone", |claims| without_address(claims, None), |_| said(Some(true)), true),
        ("both", |claims| without_address(claims, Some(true)), |_| said(Some(true)), true),
    ];
    for (case, claims, userinfo, links) in says {
        let mut world = World::new(Dialect::V4);
        world.auth = builder(&world.time)
            .store(Arc::clone(&world.store))
            .linking(LinkingPolicy::VerifiedOnBothSides)
            .provider(oidc("acme", &world.acme).reading_userinfo())
            .build()
            .unwrap();
        let known = namesake(&world, true).await;
        world.acme.plan(|plan| (plan.claims, plan.userinfo) = (claims, userinfo));
        let mut browser = browser(&world.auth);
        let answer = sign_in(&mut browser, "acme").await;
        judge(case, links.then_some(&known), &mut browser, &answer).await;
    }
}

fn without_address(mut claims: Value, verified: Option<bool>) -> Value {
    let members = claims.as_object_mut().unwrap();
    members.remove("email");
    members.extend(verified.map(|verified| ("email_verified".to_owned(), verified.into())));
    claims
}

fn said(verified: Option<bool>) -> Reply {
    let mut user = json!({ "sub": "alice-1", "email": "alice@example.com" });
    if let Some(verified) = verified {
        user["email_verified"] = verified.into();
    }
    Reply::json(user)
}

/// S38: an address that only looks like another one, or becomes it by a lower case or a compatible form that is not
/// ASCII's, is another one.
#[tokio::test]
async fn s38_addresses_that_look_alike_are_two() {
    for policy in [LinkingPolicy::VerifiedOnBothSides, LinkingPolicy::Dangerous] {
        for (given, kept) in [
            ("\u{212a}im@Example.com", "\u{212a}im@example.com"), // The Kelvin sign.
            ("\u{ff4b}im@Example.com", "\u{ff4b}im@example.com"), // A wide k.
            ("kim@exampl\u{ff25}.com", "kim@exampl\u{ff25}.com"),
        ] {
            let mut world = World::new(Dialect::V4);
            world.auth = site_with_store(&world.store, &world.time, &[("acme", &world.acme)])
                .linking(policy)
                .build()
                .unwrap();
            let known = User::new("").email("kim@example.com").email_verified(Timestamp::from_secs(NOW));
            let known = world.store.create_user(&known, None).await.unwrap();
            let plan = json!({ "sub": "alice-1", "email": given, "email_verified": true });
            world.acme.plan(|it| it.user = plan);
            is_signed_in(given, &sign_in(&mut browser(&world.auth), "acme").await);
            let owner = world.owner("acme", "alice-1").await.unwrap();
            assert_ne!(owner.id, known.id, "{policy:?}: {given}");
            assert_eq!(owner.email.as_deref(), Some(kept), "{policy:?}");
        }
    }
}

fn userinfo(email: Value) -> Reply {
    Reply::json(json!({ "sub": "alice-1", "email": email, "email_verified": true }))
}

/// S38: an attacker who was first with the address, without proof, does not get the victim's account.
#[tokio::test]
async fn s38_whoever_was_first_gets_nothing() {
    for policy in [LinkingPolicy::Never, LinkingPolicy::VerifiedOnBothSides] {
        let mut world = World::new(Dialect::V4);
        world.auth =
            site_with_store(&world.store, &world.time, &[("acme", &world.acme), ("other", &world.other)])
                .linking(policy)
                .build()
                .unwrap();
        // At a provider that lets anybody enter any address.
        world.other.plan(|plan| {
            plan.user = json!({ "sub": "mallory", "email": "alice@example.com", "email_verified": false });
        });
        let mut attacker = browser(&world.auth);
        is_signed_in("first", &sign_in(&mut attacker, "other").await);
        let planted = attacker.who().await;
        world.acme.plan(|plan| plan.user["email_verified"] = true.into());
        let mut victim = browser(&world.auth);
        let answer = sign_in(&mut victim, "acme").await;
        judge("second", None, &mut victim, &answer).await;
        assert_ne!(victim.who().await, planted);
        assert!(world.owner("acme", "alice-1").await.is_none());
    }
}

/// S38: what one provider says of addresses may be believed, and what another one says may not.
#[tokio::test]
async fn s38_each_provider_has_its_policy() {
    let (store, time): (Arc<dyn Store>, _) = (Arc::new(MemoryStore::new()), Time::at_noon());
    let (trusted, other) = (Provider::start(&time), Provider::start(&time));
    let auth = builder(&time)
        .store(Arc::clone(&store))
        .provider(oidc("trusted", &trusted).linking(LinkingPolicy::Dangerous))
        .provider(oidc("other", &other))
        .build()
        .unwrap();
    let known = store.create_user(&User::new("").email("alice@example.com"), None).await.unwrap();
    let mut mallory = browser(&auth);
    let refused = sign_in(&mut mallory, "other").await;
    assert!(refused.header("location").unwrap().ends_with("error=OAuthAccountNotLinked"));
    let mut alice = browser(&auth);
    is_signed_in("trusted", &sign_in(&mut alice, "trusted").await);
    assert_eq!(alice.who().await, known.id);
    let warnings = auth.startup_report().warnings;
    let told: Vec<_> = warnings.iter().filter(|line| line.contains("e-mail address alone")).collect();
    assert!(told.len() == 1 && told[0].starts_with("trusted: "), "{warnings:?}");
}

/// S38: whoever was first with the address, at a provider that proves nothing, is not proved by the mail that the victim
/// opens, so that the victim's account at a provider that links proved addresses does not join theirs. It is enough that
/// one provider links so, whatever the rest of the site does.
#[tokio::test]
async fn s38_a_mailed_link_proves_nobody_who_was_first() {
    use LinkingPolicy::{Never, VerifiedOnBothSides};
    for (site, own, opens) in
        [(Never, Some(VerifiedOnBothSides), false), (VerifiedOnBothSides, None, false), (Never, None, true)]
    {
        let case = format!("{site:?}, {own:?}");
        let mut world = World::new(Dialect::V4);
        let mailbox = Mailbox::default();
        let trusted = oidc("trusted", &world.acme);
        let trusted = if let Some(own) = own { trusted.linking(own) } else { trusted };
        world.auth = builder(&world.time)
            .store(Arc::clone(&world.store))
            .linking(site)
            .provider(trusted)
            .provider(oidc("lax", &world.other))
            .provider(Email::new(mailbox.clone()))
            .build()
            .unwrap();
        let address = "alice@example.com";
        world.other.plan(|plan| plan.user = json!({ "sub": "mallory", "email": address }));
        let mut mallory = browser(&world.auth);
        is_signed_in(&case, &sign_in(&mut mallory, "lax").await);
        let planted = mallory.who().await;

        let mut victim = browser(&world.auth);
        sign_in_by_mail(&mut victim, &mailbox, address).await;
        // As Auth.js has it, where nobody links proved addresses.
        assert_eq!(victim.who().await == planted, opens, "{case}");
        let proved = world.store.user(&planted).await.unwrap().unwrap().email_verified;
        assert_eq!(proved.is_some(), opens, "{case}");

        world.acme.plan(|plan| plan.user["email_verified"] = true.into());
        let mut victim = browser(&world.auth);
        let answer = sign_in(&mut victim, "trusted").await;
        judge(&case, None, &mut victim, &answer).await;
        assert!(world.owner("trusted", "alice-1").await.is_none(), "{case}");
    }
}

/// A user of the store, and a site whose sessions are in tokens, where whoever signs in with a password has the same id:
/// one of the application's own, and no user of the store.
struct Namesakes {
    store: Arc<dyn Store>,
    victim: User,
    auth: Auth,
}

impl Namesakes {
    async fn new(time: &Time, acme: &Provider) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let victim = store.create_user(&User::new("").email("victim@example.com"), None).await.unwrap();
        let id = victim.id.clone();
        let credentials = Credentials::new(move |_| {
            let user = User::new(id.clone());
            async move { Ok::<_, BoxError>(Some(user)) }
        });
        let auth = builder(time)
            .store(Arc::clone(&store))
            .sessions_in_tokens(true)
            .provider(oidc("acme", acme))
            .provider(credentials.field(Field::text("username", "Username")))
            .build()
            .unwrap();
        Self { store, victim, auth }
    }

    /// A browser that is signed in with a password, at a site of which each path is another handler.
    async fn namesake(&self) -> Browser {
        let mut browser = Browser::new(handlers(self.auth.clone()));
        browser.sign_in("anybody", "anything").await;
        assert_eq!(browser.who().await, self.victim.id);
        browser
    }
}

/// `/link` links an account, `/token/{provider}` asks for a token of the provider, `/renew` makes the session a new token,
/// anything else says who is there.
fn handlers(auth: Auth) -> App {
    app(AuthLayer::new(auth).layer(service_fn(async |request: Request<Full<Bytes>>| {
        let context = get_auth_context(&request).unwrap();
        let path = request.uri().path();
        let text = if path == "/link" {
            let linked = context.link_account(Account::new("oauth", "acme", "mallory")).await;
            linked.map_or_else(|error| error.to_string(), |()| "linked".to_owned())
        } else if let Some(provider) = path.strip_prefix("/token/") {
            let token = context.provider_token(provider).await;
            token.map_or_else(|error| format!("{:?}", error.kind()), |token| token.access_token)
        } else if path == "/renew" {
            format!("renewed: {}", context.update(json!({})).await.unwrap().is_some())
        } else {
            let session = context.session::<SessionUser>().unwrap();
            session.map_or("nobody".to_owned(), |session| session.subject().to_owned())
        };
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    })))
}

/// S38: with sessions in tokens, whoever signs in with a password has an id of the application's own. That it is also
/// somebody's in the store links nothing to them.
#[tokio::test]
async fn s38_ids_of_the_application_are_not_those_of_the_store() {
    let time = Time::at_noon();
    let acme = Provider::start(&time);
    let world = Namesakes::new(&time, &acme).await;
    let (store, victim) = (&world.store, &world.victim);
    let mut browser = world.namesake().await;
    let linked = browser.get("/link").await;
    assert_eq!(linked.text(), "another user has this account or its e-mail address");
    assert!(store.accounts_of(&victim.id).await.unwrap().is_empty());
    is_signed_in("acme", &sign_in(&mut browser, "acme").await);
    assert_ne!(browser.who().await, victim.id);
    assert!(store.accounts_of(&victim.id).await.unwrap().is_empty());
}

/// S46: nor are they given the tokens of the store's user with that id.
#[tokio::test]
async fn s46_ids_of_the_application_get_no_tokens_of_the_store() {
    let time = Time::at_noon();
    let acme = Provider::start(&time);
    let world = Namesakes::new(&time, &acme).await;
    let mut account = Account::new("oidc", "acme", "victim-1");
    account.tokens.access_token = Some("the victim's".to_owned());
    world.store.link_account(&world.victim.id, &account).await.unwrap();
    let mut browser = world.namesake().await;
    assert_eq!(browser.get("/token/acme").await.text(), "NotLinked");
    assert_eq!(browser.get("/token/other").await.text(), "UnknownProvider");
    // Nor with a token that was renewed.
    assert_eq!(browser.get("/renew").await.text(), "renewed: true");
    assert_eq!(browser.get("/token/acme").await.text(), "NotLinked");
    browser.sign_out().await;
    assert_eq!(browser.get("/token/acme").await.text(), "NotSignedIn");
    // The victim has their own, and so has whoever signs in at the provider.
    acme.plan(|plan| plan.user = json!({ "sub": "victim-1" }));
    is_signed_in("victim", &sign_in(&mut browser, "acme").await);
    assert_eq!(browser.who().await, world.victim.id);
    let stored = world.store.accounts_of(&world.victim.id).await.unwrap().remove(0).tokens.access_token;
    assert_eq!(browser.get("/token/acme").await.text(), stored.unwrap());
    // Whoever asks by an id has to know whose it is.
    assert!(world.auth.provider_token(&world.victim.id, "acme").await.is_ok());
}
