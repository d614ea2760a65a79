//! Sites that share a server and nothing else: row S92 of `docs/security.md`.
//!
//! The stores are two prefixes in one database, two namespaces of one Redis, two files: even with the same secret, the
//! same names of cookies and the same ids no tenant has anything of the other.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis::{
    Account, Auth, AuthBuilder, CookieKind, CookieOptions, SessionIds, Timestamp, User,
    store::{SessionKey, Store, StoredSession, VerificationToken},
};
use tower::{ServiceExt, service_fn};

use crate::{
    mail::{ask, goes_to, link, mailing},
    site::{COOKIE, act, browser, site, whoami},
    stores::on_each_two_stores,
    support::{App, Browser, NOW, app},
};

on_each_two_stores![
    s92_a_session_of_one_tenant_is_nobody_at_the_other,
    s92_nothing_is_ended_across_tenants,
    s92_the_same_account_is_two_users,
    s92_a_mailed_link_is_good_at_its_own_tenant,
    s92_two_sites_under_one_host,
    s92_raw_and_hashed_ids_do_not_meet,
];

type Two = [Arc<dyn Store>; 2];

fn sites(stores: &Two) -> [Auth; 2] {
    stores.each_ref().map(|store| site(store).1.build().unwrap())
}

async fn who_with(auth: &Auth, token: &str) -> [String; 2] {
    let bearer = format!("Bearer {token}");
    [
        browser(auth).with_cookie(COOKIE, token).who().await,
        // At a verifier that is a session, too.
        browser(auth).with_header("authorization", &bearer).who().await,
    ]
}

async fn s92_a_session_of_one_tenant_is_nobody_at_the_other(stores: Two) {
    let auths = sites(&stores);
    let verifiers = stores.each_ref().map(|store| {
        let clock = crate::site::Waiting(crate::support::ManualClock::at(NOW));
        Auth::verifier_of(Arc::clone(store)).clock(clock).build().unwrap()
    });
    for [own, other] in [[0, 1], [1, 0]] {
        let mut here = browser(&auths[own]);
        here.sign_in("jsmith", "hunter2").await;
        let (who, token) = (here.who().await, &here.jar[COOKIE]);
        assert_eq!(who_with(&verifiers[own], token).await, [&*who, &*who]);
        assert_eq!(who_with(&auths[other], token).await, ["nobody", "nobody"]);
        assert_eq!(who_with(&verifiers[other], token).await, ["nobody", "nobody"]);
        let row = stores[own].sessions_of(&who).await.unwrap().remove(0);
        assert!(stores[other].session(&row.key).await.unwrap().is_none());
        assert!(auths[other].sessions_of(&who).await.unwrap().is_empty());
    }
}

async fn s92_nothing_is_ended_across_tenants(stores: Two) {
    let auths = sites(&stores);
    let mut here = browser(&auths[0]);
    here.sign_in("jsmith", "hunter2").await;
    let who = here.who().await;
    let row = stores[0].sessions_of(&who).await.unwrap().remove(0);
    let over = Timestamp::from_secs(NOW - 1);
    let expired = StoredSession::new(SessionKey::new("an expired one"), &who, over);
    stores[0].create_session(&expired, None).await.unwrap();
    // All that the other could do, with all ids known.
    assert!(!auths[1].delete_user(&who).await.unwrap());
    auths[1].end_sessions_of(&who).await.unwrap();
    assert!(!auths[1].end_session(&who, &row.key.handle()).await.unwrap());
    assert!(!stores[1].end_session(&row.key).await.unwrap());
    assert_eq!(auths[1].sweep().await.unwrap(), 0);
    let mut stranger = browser(&auths[1]).with_cookie(COOKIE, &here.jar[COOKIE]);
    stranger.sign_out().await;
    assert_eq!(here.who().await, who);
    assert_eq!(stores[0].sessions_of(&who).await.unwrap().len(), 2);
    assert_eq!(auths[0].sweep().await.unwrap(), 1);
}

async fn s92_the_same_account_is_two_users(stores: Two) {
    let auths = sites(&stores);
    let mut ids = vec![];
    for auth in &auths {
        let mut here = browser(auth);
        act(auth, &mut here, async |context| {
            let user = User::new("").email("pat@example.com");
            context.sign_in_with(user, Account::new("oauth", "acme", "1")).await.unwrap();
        })
        .await;
        ids.push(here.who().await);
    }
    assert_ne!(ids[0], ids[1]);
    for (store, [own, other]) in stores.iter().zip([[0, 1], [1, 0]]) {
        assert_eq!(store.user_by_email("pat@example.com").await.unwrap().unwrap().id, ids[own]);
        assert!(store.user(&ids[other]).await.unwrap().is_none());
    }
    // An address that is taken here is free there, and gone here only.
    assert!(auths[0].delete_user(&ids[0]).await.unwrap());
    assert!(stores[0].user_by_account("acme", "1").await.unwrap().is_none());
    assert_eq!(stores[1].user_by_account("acme", "1").await.unwrap().unwrap().id, ids[1]);
}

async fn s92_a_mailed_link_is_good_at_its_own_tenant(stores: Two) {
    let [(_, one, mails), (_, other, _)] = stores.each_ref().map(mailing);
    let (one, other) = (one.build().unwrap(), other.build().unwrap());
    ask(&mut browser(&one), "pat@example.com").await;
    let link = link(&mails.take()[0]);
    let mut there = browser(&other);
    assert!(goes_to(&there.get(&link).await).ends_with("error?error=Verification"));
    assert_eq!(there.who().await, "nobody");
    let mut here = browser(&one);
    here.get(&link).await;
    assert_ne!(here.who().await, "nobody", "the other one did not use it up");
    // Nor does the same token of the same address collide.
    let token = VerificationToken::new("pat@example.com", "the same", Timestamp::from_secs(NOW));
    for store in &stores {
        store.create_verification_token(&token).await.unwrap();
    }
    for store in &stores {
        assert!(store.use_verification_token("pat@example.com", "the same").await.unwrap().is_some());
    }
}

/// Two sites at two paths of one host, in one browser.
async fn s92_two_sites_under_one_host(stores: Two) {
    let tenant = |index: usize, path: &'static str| {
        let cookie = CookieOptions::new().name(path.trim_start_matches('/')).path(path);
        let csrf = CookieOptions::new().name(format!("csrf{index}")).path(path);
        let builder: AuthBuilder = site(&stores[index]).1.base_path(format!("{path}/auth"));
        let builder = builder.cookie(CookieKind::SessionToken, cookie).cookie(CookieKind::CsrfToken, csrf);
        builder.build().unwrap()
    };
    let auths = [tenant(0, "/red"), tenant(1, "/blue")];
    let [red, blue] = auths.clone().map(whoami);
    let mut both = Browser::new(router(red, blue));
    let mut users = vec![];
    for (path, user) in [("/red", "jsmith"), ("/blue", "admin")] {
        let token =
            both.get(&format!("{path}/auth/csrf")).await.json()["csrfToken"].as_str().unwrap().to_owned();
        let fields = [("csrfToken", &*token), ("username", user), ("password", "hunter2"), ("json", "true")];
        assert_eq!(both.post(&format!("{path}/auth/callback/credentials"), &fields).await.status, 200);
        users.push(both.get(path).await.text());
    }
    // The jar knows no paths: both cookies go to both sites.
    assert!(both.jar.contains_key("red") && both.jar.contains_key("blue"));
    assert_eq!([both.get("/red").await.text(), both.get("/blue").await.text()], [&*users[0], &*users[1]]);
    assert_ne!(users[0], users[1]);
    // A cookie under the other's name, and without its own.
    let (red, blue) = (both.jar["red"].clone(), both.jar["blue"].clone());
    let mut swapped = both.clone().with_cookie("red", &blue).with_cookie("blue", &red);
    assert_eq!([swapped.get("/red").await.text(), swapped.get("/blue").await.text()], ["nobody", "nobody"]);
    // Who leaves the one stays at the other.
    let token = both.get("/red/auth/csrf").await.json()["csrfToken"].as_str().unwrap().to_owned();
    both.post("/red/auth/signout", &[("csrfToken", &*token), ("json", "true")]).await;
    assert_eq!([both.get("/red").await.text(), both.get("/blue").await.text()], ["nobody", &*users[1]]);
}

fn router(red: App, blue: App) -> App {
    let route = move |request: Request<Full<Bytes>>| {
        let site = if request.uri().path().starts_with("/red") { red.clone() } else { blue.clone() };
        async move { Ok(site.oneshot(request).await?.map(Full::new)) }
    };
    app(service_fn(route))
}

/// Two settings at one store, which is one tenant with one table of users: still no session of the one counts at the
/// other. (Whoever reads the table can make a cookie for the site with raw ids, of either's sessions: that is what raw
/// ids are.)
async fn s92_raw_and_hashed_ids_do_not_meet([store, _]: Two) {
    let raw = site(&store).1.session_ids(SessionIds::Raw).build().unwrap();
    let hashed = site(&store).1.build().unwrap();
    let (mut at_raw, mut at_hashed) = (browser(&raw), browser(&hashed));
    at_raw.sign_in("jsmith", "hunter2").await;
    at_hashed.sign_in("jsmith", "hunter2").await;
    let who = at_raw.who().await;
    assert_eq!(at_hashed.who().await, who, "the table of users is one");
    assert_eq!(who_with(&hashed, &at_raw.jar[COOKIE]).await, ["nobody", "nobody"]);
    assert_eq!(who_with(&raw, &at_hashed.jar[COOKIE]).await, ["nobody", "nobody"]);
    for row in store.sessions_of(&who).await.unwrap() {
        assert_eq!(who_with(&hashed, row.key.as_str()).await, ["nobody", "nobody"]);
    }
}
