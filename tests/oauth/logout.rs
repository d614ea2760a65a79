//! Signing out at the provider, and being told of it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use portcullis::{
    Auth, AuthBuilder, AuthLayer, Claims, Dialect, Email, JwtContext, RevocationPolicy, get_token,
    mail::Mailbox,
    store::{MemoryStore, Store},
};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use crate::{
    provider::{CLIENT, Provider, Reply, signed, signed_as},
    site::{browser, builder, is_session, is_signed_in, oidc, param, sign_in, sign_in_by_mail},
    support::{Browser, ORIGIN, app},
    time::Time,
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

struct World {
    time: Time,
    acme: Provider,
    store: Arc<MemoryStore>,
}

impl World {
    fn new() -> Self {
        let time = Time::at_noon();
        let acme = Provider::start(&time);
        acme.plan(|plan| {
            plan.user["sid"] = "there-1".into();
            plan.discovery = |mut document| {
                let end = document["issuer"].as_str().unwrap().to_owned() + "/end";
                document["end_session_endpoint"] = end.into();
                Reply::json(document)
            };
        });
        Self { time, acme, store: Arc::new(MemoryStore::new()) }
    }

    /// The provider's user, and their session there.
    fn is_now(&self, sub: &str, sid: &str) {
        let (sub, sid) = (sub.to_owned(), sid.to_owned());
        self.acme.plan(move |plan| {
            plan.user = json!({ "sub": sub, "name": sub, "email": format!("{sub}@example.com"), "sid": sid });
        });
    }

    /// Likewise, of a provider that does not name its sessions.
    fn is_now_without_session(&self, sub: &str) {
        let sub = sub.to_owned();
        self.acme.plan(move |plan| {
            plan.user = json!({ "sub": sub, "name": sub, "email": format!("{sub}@example.com") });
        });
    }

    fn builder(&self, dialect: Dialect) -> AuthBuilder {
        builder(&self.time).dialect(dialect).provider(oidc("acme", &self.acme).federated_logout())
    }

    /// Sessions in the store; in tokens with a list of revocations; in tokens with that list and without users.
    fn sites(&self, dialect: Dialect) -> [(&'static str, Auth); 2] {
        let store: Arc<dyn Store> = self.store.clone();
        let policy = RevocationPolicy::within(Duration::from_secs(1)).unwrap();
        let tokens = self.builder(dialect).store(Arc::clone(&store)).sessions_in_tokens(true);
        [
            ("rows", self.builder(dialect).store(store).build().unwrap()),
            ("tokens", tokens.revocation(Arc::clone(&self.store), policy).build().unwrap()),
        ]
    }

    fn claims(&self, change: impl FnOnce(&mut Value)) -> Value {
        let now = self.time.now();
        let mut claims = json!({
            "iss": self.acme.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": uuid::Uuid::new_v4().to_string(),
            "events": { EVENT: {} },
            "sub": "alice-1",
            "sid": "there-1",
        });
        change(&mut claims);
        claims
    }
}

pub fn logout_token(claims: &Value) -> String {
    signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519", "typ": "logout+jwt" }), claims)
}

/// Begun at the provider, with its two sessions and with one that it does not name; by mail; by Node or before; and by
/// somebody else.
async fn sessions(world: &World, auth: &Auth, node: Browser, mailbox: &Mailbox) -> [Browser; 6] {
    world.is_now("alice-1", "there-1");
    let one = signed_in(auth).await;
    world.is_now("alice-1", "there-2");
    let other = signed_in(auth).await;
    world.is_now_without_session("alice-1");
    let unnamed = signed_in(auth).await;
    let mut mailed = browser(auth);
    sign_in_by_mail(&mut mailed, mailbox, "alice-1@example.com").await;
    world.is_now("bob-1", "there-3");
    let mut all = [one, other, unnamed, mailed, node, signed_in(auth).await];
    let alice = all[0].who().await;
    for (index, browser) in all.iter_mut().enumerate() {
        assert_eq!(browser.who().await == alice, index < 5, "{index}");
    }
    all
}

/// Which of them are there still.
async fn left(browsers: &mut [Browser; 6]) -> [bool; 6] {
    let mut left = [false; 6];
    for (browser, left) in browsers.iter_mut().zip(&mut left) {
        *left = browser.who().await != "nobody";
    }
    left
}

async fn told(auth: &Auth, token: &str) -> StatusCode {
    // A provider has no cookies.
    let mut provider = browser(auth);
    provider.post("/api/auth/backchannel-logout/acme", &[("logout_token", token)]).await.status
}

/// What is in its token.
async fn claims_in(auth: &Auth, browser: &Browser) -> Value {
    let telling = service_fn(async |request: Request<Full<Bytes>>| {
        let claims = get_token::<Claims>(&request).unwrap().unwrap();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(
            serde_json::to_vec(&claims.claims).unwrap(),
        ))))
    });
    let mut browser = Browser { app: app(AuthLayer::new(auth.clone()).layer(telling)), ..browser.clone() };
    browser.get("/").await.json()
}

async fn signed_in(auth: &Auth) -> Browser {
    let mut browser = browser(auth);
    let answer = sign_in(&mut browser, "acme").await;
    is_signed_in("acme", &answer);
    browser
}

/// S47: the browser is led to the provider, with the ID token as a hint, and back to the origin, whatever else was asked
/// for; a script is told the same.
#[tokio::test]
async fn s47_signing_out_leads_by_the_provider() {
    for dialect in Dialect::ALL {
        let world = World::new();
        for (place, auth) in world.sites(dialect) {
            let mut browser = signed_in(&auth).await;
            let token = browser.csrf_token().await;
            let fields = [("csrfToken", &*token), ("callbackUrl", "/elsewhere")];
            let answer = browser.post("/api/auth/signout", &fields).await;
            let to = answer.header("location").unwrap();
            assert!(to.starts_with(&format!("{}/end?", world.acme.issuer)), "{dialect}, {place}: {to}");
            assert_eq!(param(to, "post_logout_redirect_uri"), ORIGIN);
            assert_eq!(param(to, "client_id"), CLIENT);
            assert_eq!(param(to, "id_token_hint").split('.').count(), 3);
            assert!(!is_session(&answer));
            assert_eq!(browser.who().await, "nobody", "{dialect}, {place}");
        }
    }
}

/// A provider that cannot end sessions, or is down, keeps nobody signed in here.
#[tokio::test]
async fn signing_out_does_not_need_the_provider() {
    let world = World::new();
    let [(_, auth), _] = world.sites(Dialect::V4);
    world.acme.plan(|plan| plan.discovery = Reply::json);
    let mut browser = signed_in(&auth).await;
    let token = browser.csrf_token().await;
    let answer =
        browser.post("/api/auth/signout", &[("csrfToken", &*token), ("callbackUrl", "/after")]).await;
    assert_eq!(answer.header("location"), Some(&*format!("{ORIGIN}/after")));
    assert_eq!(browser.who().await, "nobody");
}

/// S47: whoever signs out there is signed out here, by the session or by the user; nobody else is.
#[tokio::test]
async fn s47_whoever_signs_out_there_is_signed_out_here() {
    for (named, left) in [
        (["sub", "sid"].as_slice(), [false, true, true]),
        (&["sid"], [false, true, true]),
        (&["sub"], [false, false, true]),
    ] {
        let world = World::new();
        for (place, auth) in world.sites(Dialect::V4) {
            // Without the user, a session in a store cannot be found.
            if place == "rows" && !named.contains(&"sub") {
                continue;
            }
            let mut browsers = Vec::new();
            for (sub, sid) in [("alice-1", "there-1"), ("alice-1", "there-2"), ("bob-1", "there-3")] {
                world.is_now(sub, sid);
                browsers.push(signed_in(&auth).await);
            }
            world.time.pass(2);
            let claims = world.claims(|claims| {
                for name in ["sub", "sid"].into_iter().filter(|name| !named.contains(name)) {
                    claims.as_object_mut().unwrap().remove(name);
                }
            });
            assert_eq!(told(&auth, &logout_token(&claims)).await, StatusCode::OK, "{place}: {named:?}");
            world.time.pass(2);
            for (index, (browser, left)) in browsers.iter_mut().zip(left).enumerate() {
                let is_left = browser.who().await != "nobody";
                assert_eq!(is_left, left, "{place}: {named:?}: browser {index}");
            }
        }
    }
}

/// Tables as Auth.js makes them: sessions have no data.
#[cfg(feature = "sqlite")]
const OF_AUTH_JS: &str = r#"
create table users (id text primary key, name text, email text unique, "emailVerified" integer, image text);
create table accounts (id text primary key, "userId" text not null, type text not null, provider text not null,
  "providerAccountId" text not null, refresh_token text, access_token text, expires_at integer, id_token text,
  scope text, session_state text, token_type text);
create table sessions (id text primary key, "sessionToken" text not null unique, "userId" text not null,
  expires integer not null);
create table verification_token (identifier text not null, token text not null, expires integer not null);
"#;

/// S44, S47: a session that does not say which one at the provider it was begun with ends with any of its user: Node has
/// made it, or the tables of Auth.js have no place for it, which is said at the start. One that does say goes on, and so
/// does one that is known to have been begun elsewhere, and everybody else's.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn s44_s47_sessions_in_tables_of_auth_js_end_too() {
    use portcullis::{
        SessionIds, Timestamp,
        store::{SessionKey, SessionStore, SqlOptions, SqliteStore, StoredSession, UserStore},
    };
    for (completed, named, expected) in [
        (false, ["sub", "sid"].as_slice(), [false, false, false, false, false, true]),
        (false, &["sub"], [false, false, false, false, false, true]),
        (true, &["sub", "sid"], [false, true, false, true, false, true]),
        (true, &["sub"], [false, false, false, true, false, true]),
    ] {
        let world = World::new();
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(OF_AUTH_JS)).execute(&pool).await.unwrap();
        let store = SqliteStore::new(pool, SqlOptions::new().complete(completed)).await.unwrap();
        let mailbox = Mailbox::default();
        let auth = world
            .builder(Dialect::V4)
            .provider(Email::new(mailbox.clone()))
            .store(store.clone())
            .session_ids(SessionIds::Raw)
            .build()
            .unwrap();
        let warnings = auth.startup_report().warnings;
        let is_said =
            warnings.iter().any(|line| line.starts_with("acme: ") && line.contains("column `data`"));
        assert_eq!(is_said, !completed, "{warnings:#?}");

        world.is_now("alice-1", "before");
        signed_in(&auth).await.sign_out().await;
        let alice = store.user_by_account("acme", "alice-1").await.unwrap().unwrap();
        let end = Timestamp::from_secs(world.time.now() + 3600);
        let of_node = "5cbd6c0b-2f0e-4b6c-8b5e-0a6f6f1f7a10";
        let row = StoredSession::new(SessionKey::new(of_node), alice.id, end);
        store.create_session(&row, None).await.unwrap();
        let node = browser(&auth).with_cookie("next-auth.session-token", of_node);
        let mut browsers = sessions(&world, &auth, node, &mailbox).await;

        let claims = world.claims(|claims| {
            claims
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !["sub", "sid"].contains(&&**name) || named.contains(&&**name));
        });
        assert_eq!(told(&auth, &logout_token(&claims)).await, StatusCode::OK);
        assert_eq!(left(&mut browsers).await, expected, "completed: {completed}, {named:?}");
        // Whoever comes back is there again.
        world.is_now_without_session("alice-1");
        assert_ne!(signed_in(&auth).await.who().await, "nobody");
    }
}

/// S47: the same of tokens, in each dialect, and without a store as far as a token says whose it is: in the dialects with
/// random ids, nobody knows whose a token is that was made by Node or before.
#[tokio::test]
async fn s47_tokens_that_name_no_session_end_too() {
    let logouts = [
        (["sub", "sid"].as_slice(), [false, true, false, true, false, true]),
        (&["sub"], [false, false, false, true, false, true]),
    ];
    for (dialect, (named, expected)) in
        Dialect::ALL.into_iter().flat_map(|dialect| logouts.map(|logout| (dialect, logout)))
    {
        let logout = |world: &World| {
            logout_token(&world.claims(|claims| {
                claims
                    .as_object_mut()
                    .unwrap()
                    .retain(|name, _| !["sub", "sid"].contains(&&**name) || named.contains(&&**name));
            }))
        };
        let world = World::new();
        let policy = RevocationPolicy::within(Duration::from_secs(1)).unwrap();
        let mailbox = Mailbox::default();
        let kept = |builder: AuthBuilder| builder.store(Arc::clone(&world.store)).sessions_in_tokens(true);
        let site = world.builder(dialect).provider(Email::new(mailbox.clone()));
        let auth = kept(site).revocation(Arc::clone(&world.store), policy).build().unwrap();
        let before = kept(builder(&world.time).dialect(dialect).provider(oidc("acme", &world.acme)));
        world.is_now("alice-1", "before");
        let mut node = browser(&auth);
        node.jar = signed_in(&before.build().unwrap()).await.jar;
        let mut browsers = sessions(&world, &auth, node, &mailbox).await;
        world.time.pass(2);
        assert_eq!(told(&auth, &logout(&world)).await, StatusCode::OK, "{dialect}, {named:?}");
        // Within the same second.
        world.is_now_without_session("alice-1");
        let mut again = signed_in(&auth).await;
        world.is_now("alice-1", "there-4");
        let mut anew = signed_in(&auth).await;
        world.time.pass(2);
        assert_eq!(left(&mut browsers).await, expected, "{dialect}, {named:?}");
        assert_ne!(again.who().await, "nobody", "{dialect}, {named:?}");
        assert_ne!(anew.who().await, "nobody", "{dialect}, {named:?}");

        let revocations = Arc::new(MemoryStore::new());
        let auth = world.builder(dialect).revocation(revocations, policy).build().unwrap();
        world.is_now_without_session("alice-1");
        let mut unnamed = signed_in(&auth).await;
        let before = builder(&world.time).dialect(dialect).provider(oidc("acme", &world.acme)).build();
        let mut node = browser(&auth);
        node.jar = signed_in(&before.unwrap()).await.jar;
        world.is_now("alice-1", "there-2");
        let mut other = signed_in(&auth).await;
        world.is_now_without_session("bob-1");
        let mut bob = signed_in(&auth).await;
        world.time.pass(2);
        assert_eq!(told(&auth, &logout(&world)).await, StatusCode::OK, "{dialect}, {named:?}, no store");
        world.time.pass(2);
        let mut left = Vec::new();
        for browser in [&mut unnamed, &mut node, &mut other, &mut bob] {
            left.push(browser.who().await != "nobody");
        }
        let is_known = dialect != Dialect::V5;
        assert_eq!(left, [false, !is_known, named.contains(&"sid"), true], "{dialect}, {named:?}, no store");
    }
}

/// S47: what a client sends says nothing of how its session was begun, however much of it the `jwt` callback takes over;
/// nor does what the provider of a sign-in says there.
#[tokio::test]
async fn s47_no_client_keeps_its_session_by_what_it_sends() {
    let world = World::new();
    let policy = RevocationPolicy::within(Duration::from_secs(1)).unwrap();
    let merging = |builder: AuthBuilder| {
        let kept = builder.store(Arc::clone(&world.store)).sessions_in_tokens(true);
        let kept = kept.revocation(Arc::clone(&world.store), policy);
        let kept = kept.on_jwt(|context: JwtContext| async {
            let JwtContext { mut token, session, profile, .. } = context;
            let sent = session.as_ref().and_then(Value::as_object).or(profile.as_ref());
            for (name, value) in sent.into_iter().flatten() {
                if name != "sub" && name != "sid" {
                    token.insert(name.as_str(), value.clone());
                }
            }
            Ok(Some(token))
        });
        kept.build().unwrap()
    };
    let auth = merging(world.builder(Dialect::V4));
    // Begun where nobody is told of logouts.
    let before = merging(builder(&world.time).dialect(Dialect::V4).provider(oidc("acme", &world.acme)));
    world.is_now("alice-1", "before");
    let mut sending = browser(&auth);
    sending.jar = signed_in(&before).await.jar;
    world.acme.plan(|plan| plan.user["idp"] = json!({ "id": "email" }));
    let mut saying = browser(&auth);
    saying.jar = signed_in(&before).await.jar;

    let sent = json!({ "idp": { "id": "email" }, "unstored": true, "color": "red" });
    let body = json!({ "csrfToken": sending.csrf_token().await, "data": sent }).to_string();
    let json = Some("application/json");
    let answer = sending.send(Method::POST, "/api/auth/session", json, body.into()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(claims_in(&auth, &sending).await["color"], "red", "the callback takes it over");
    for browser in [&sending, &saying] {
        let claims = claims_in(&auth, browser).await;
        assert_eq!([claims.get("idp"), claims.get("unstored")], [None, None]);
    }
    world.time.pass(2);
    assert_eq!(told(&auth, &logout_token(&world.claims(|_| {}))).await, StatusCode::OK);
    world.time.pass(2);
    assert_eq!([sending.who().await, saying.who().await], ["nobody", "nobody"]);
}

/// S47: what an application calls `idp` itself is left to it, where it is nothing of ours.
#[tokio::test]
async fn an_application_has_its_own_claim_of_that_name() {
    let world = World::new();
    let auth =
        builder(&world.time).provider(oidc("acme", &world.acme)).on_jwt(|context: JwtContext| async move {
            let mut token = context.token;
            let step = if context.user.is_some() { "begun" } else { "renewed" };
            token.insert("idp", step);
            Ok(Some(token))
        });
    let auth = auth.build().unwrap();
    world.is_now("alice-1", "there-1");
    let mut browser = signed_in(&auth).await;
    assert_eq!(claims_in(&auth, &browser).await["idp"], "begun");
    browser.session().await;
    assert_eq!(claims_in(&auth, &browser).await["idp"], "renewed");
}

/// S47: whatever is no logout token of this provider for this client ends nothing.
#[tokio::test]
async fn s47_nothing_else_is_a_logout_token() {
    let world = World::new();
    for (place, auth) in world.sites(Dialect::V4) {
        world.is_now("alice-1", "there-1");
        let mut browser = signed_in(&auth).await;
        world.time.pass(2);
        let old = world.time.now() - 300;
        let broken: Vec<(&str, String)> = vec![
            ("no token", String::new()),
            ("no JWT", "a.b.c".to_owned()),
            (
                "an ID token",
                signed(&world.claims(|claims| drop(claims.as_object_mut().unwrap().remove("events")))),
            ),
            ("another type", signed(&world.claims(|_| {}))),
            ("no events", logout_token(&world.claims(|claims| claims["events"] = json!({})))),
            (
                "another event",
                logout_token(&world.claims(|claims| claims["events"] = json!({ "other": {} }))),
            ),
            (
                "an event that is none",
                logout_token(&world.claims(|claims| claims["events"] = json!({ EVENT: 1 }))),
            ),
            ("a nonce", logout_token(&world.claims(|claims| claims["nonce"] = "n".into()))),
            (
                "no jti",
                logout_token(&world.claims(|claims| drop(claims.as_object_mut().unwrap().remove("jti")))),
            ),
            (
                "nobody",
                logout_token(&world.claims(|claims| {
                    for name in ["sub", "sid"] {
                        claims.as_object_mut().unwrap().remove(name);
                    }
                })),
            ),
            ("another audience", logout_token(&world.claims(|claims| claims["aud"] = "other".into()))),
            (
                "another issuer",
                logout_token(&world.claims(|claims| claims["iss"] = "https://other.example".into())),
            ),
            ("expired", logout_token(&world.claims(|claims| claims["exp"] = old.into()))),
            ("old", logout_token(&world.claims(|claims| claims["iat"] = old.into()))),
            (
                "no time",
                logout_token(&world.claims(|claims| drop(claims.as_object_mut().unwrap().remove("iat")))),
            ),
        ];
        for (case, token) in broken {
            assert_eq!(told(&auth, &token).await, StatusCode::BAD_REQUEST, "{place}: {case}");
        }
        world.time.pass(2);
        assert_ne!(browser.who().await, "nobody", "{place}");

        let good = logout_token(&world.claims(|_| {}));
        assert_eq!(told(&auth, &good).await, StatusCode::OK, "{place}");
        assert_eq!(told(&auth, &good).await, StatusCode::BAD_REQUEST, "{place}: replayed");
    }
}

/// S44: what a provider gives stays here: neither a cookie nor the session shows any of it.
#[tokio::test]
async fn s44_tokens_of_the_provider_stay_on_the_server() {
    for dialect in Dialect::ALL {
        let world = World::new();
        for (place, auth) in world.sites(dialect) {
            let mut browser = browser(&auth);
            let answer = sign_in(&mut browser, "acme").await;
            is_signed_in(place, &answer);
            let shown = browser.get("/api/auth/session").await.text();
            for part in ["access", "id_token", "refresh", "eyJ", "there-1"] {
                assert!(!shown.contains(part), "{dialect}, {place}: {part} in {shown}");
            }
            let cookies: usize = answer.cookies().iter().map(|cookie| cookie.value().len()).sum();
            assert!(cookies < 1500, "{dialect}, {place}: {cookies} bytes of cookies");
        }
    }
}
