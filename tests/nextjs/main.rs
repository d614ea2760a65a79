//! Beside real Next.js applications (`v4` on next-auth 4, `v5` on Auth.js 5): who signs in at one side is known
//! to the other. Each test does the same at both sides and asks everyone after it: the site, a server of this
//! crate that signs in itself, and a verifier that has the secret alone, over HTTP and over gRPC.
//!
//! Needs Node and the built sites (`scripts/test setup`). Where they are missing these tests say so and test
//! nothing, unless `PORTCULLIS_REQUIRE_NODE` is set (as `scripts/test` does): then they fail.

#![cfg(all(feature = "axum", feature = "tonic"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[allow(dead_code, reason = "its own main")]
#[path = "../../examples/beside_nextjs.rs"]
mod example;
#[allow(missing_docs, clippy::all, clippy::disallowed_methods, dead_code, reason = "generated")]
#[path = "../../examples/proto/greeter.rs"]
mod greeter;
mod service;
mod site;
#[allow(dead_code, reason = "shared with tests/api, which uses all of it")]
#[path = "../api/support/mod.rs"]
mod support;

use std::{collections::BTreeMap, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{Auth, Dialect, OriginPolicy, Secret};
use serde_json::{Value, json};
use support::{Answer, Browser, SECRET};
use tower::ServiceExt;

use crate::{
    service::{Service, site_like, verifier},
    site::Setting,
};

const OLDER: &str = "Wq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Po";
const NEWER: &str = "Tn5Yb3Ue7Ri1Op9As4Df6Gh8Jk2Lz0Xc";
const HTTP: &str = "http://localhost:3000";
const HTTPS: &str = "https://app.example";

type Jar = BTreeMap<String, String>;

/// A Next.js application and what stands beside it.
struct Pair {
    setting: Setting,
    next: SocketAddr,
    ours: Service,
    verifier: Service,
}

impl Pair {
    async fn of(setting: Setting) -> Option<Self> {
        let next = setting.site()?;
        let ours = Service::start(site_like(setting)).await;
        let verifier = Service::start(verifier(setting.secrets)).await;
        Some(Self { setting, next, ours, verifier })
    }

    /// Both generations under http and under https.
    async fn all() -> Vec<Self> {
        let mut pairs = Vec::new();
        for dialect in [Dialect::V4, Dialect::V5] {
            for origin in [HTTP, HTTPS] {
                pairs.extend(Self::of(Setting { dialect, origin, secrets: &[SECRET] }).await);
            }
        }
        pairs
    }

    /// Where people sign in.
    fn sides(&self) -> [SocketAddr; 2] {
        [self.next, self.ours.http]
    }

    fn cookie(&self) -> String {
        let stem = if self.setting.dialect == Dialect::V5 { "authjs" } else { "next-auth" };
        let prefix = if self.setting.origin == HTTPS { "__Secure-" } else { "" };
        format!("{prefix}{stem}.session-token")
    }

    /// The names of the session cookies in a jar.
    fn pieces(&self, jar: &Jar) -> Vec<String> {
        jar.keys().filter(|name| name.starts_with(&self.cookie())).cloned().collect()
    }

    /// The token in a jar.
    fn token(&self, jar: &Jar) -> String {
        self.pieces(jar).iter().map(|name| &*jar[name]).collect()
    }

    /// Everyone knows who this is, by session, token, guard and gRPC.
    async fn all_see(&self, jar: &Jar, expected: &Value) {
        for (name, address) in
            [("next", self.next), ("ours", self.ours.http), ("verifier", self.verifier.http)]
        {
            let (seen, context) = (see(address, jar).await, format!("{name} of {:?}", self.setting));
            assert_eq!(seen.user, *expected, "{context}");
            assert_eq!(seen.token, claims_of(expected), "{context}");
            assert_eq!(seen.protected, !expected.is_null(), "{context}");
            assert_eq!(seen.admin, expected["role"] == "admin", "{context}");
        }
        for service in [self.ours, self.verifier] {
            let user = without_nulls(service.grpc_user(&cookies(jar)).await);
            assert_eq!(user, *expected, "gRPC of {:?}", self.setting);
        }
    }
}

/// What a side makes of the cookies in a jar.
struct Seen {
    user: Value,
    token: Value,
    protected: bool,
    admin: bool,
}

async fn see(address: SocketAddr, jar: &Jar) -> Seen {
    let mut browser = browser(address, jar);
    let user = without_nulls(browser.get("/api/session").await.json()["user"].take());
    let mut token = browser.get("/api/token").await.json();
    for varying in ["iat", "exp", "jti"] {
        token.as_object_mut().map(|claims| claims.shift_remove(varying));
    }
    Seen {
        user,
        token: without_nulls(token),
        protected: passes(&browser.get("/protected").await),
        admin: passes(&browser.get("/admin").await),
    }
}

/// Whether a guard let the request through.
fn passes(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::OK => true,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => false,
        other => panic!("{other}: {}", answer.text()),
    }
}

/// A member that is null is as good as none.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// The claims of a token whose session shows this user.
fn claims_of(user: &Value) -> Value {
    let mut claims = user.clone();
    if let Some(id) = claims.as_object_mut().and_then(|user| user.shift_remove("id")) {
        claims["sub"] = id;
    }
    claims
}

fn person(username: &str) -> Value {
    match username {
        "jsmith" => json!({ "id": "1", "name": "J Smith", "email": "jsmith@example.com", "role": "user" }),
        "admin" => {
            json!({ "id": "2", "name": "Zoë 日本語 🦀", "email": "admin@example.com", "role": "admin" })
        }
        "big" => json!({ "id": "3", "name": "Big", "email": "big@example.com", "role": "user",
            "note": "n€".repeat(1500) }),
        _ => Value::Null,
    }
}

/// A browser at one side, over real connections, with these cookies.
fn browser(address: SocketAddr, jar: &Jar) -> Browser {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let remote = client.map_request(move |mut request: Request<Full<Bytes>>| {
        let path = request.uri().path_and_query().unwrap().clone();
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority(address.to_string())
            .path_and_query(path)
            .build()
            .unwrap();
        request
    });
    let mut browser = Browser::new(support::app(remote.map_err(|error| panic!("{error}"))));
    browser.jar = jar.clone();
    browser
}

/// The jar as headers, for what is no browser.
fn cookies(jar: &Jar) -> HeaderMap {
    let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pairs.join("; ")).unwrap())])
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap())])
}

async fn signed_in(address: SocketAddr, username: &str) -> Jar {
    let mut browser = browser(address, &Jar::new());
    browser.sign_in(username, "hunter2").await;
    browser.jar
}

/// What `update(data)` of the npm clients sends.
async fn updated(address: SocketAddr, jar: &Jar, data: Value) -> Jar {
    let mut browser = browser(address, jar);
    let body = json!({ "csrfToken": browser.csrf_token().await, "data": data }).to_string();
    let answer = browser.send(Method::POST, "/api/auth/session", Some("application/json"), body.into()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    browser.jar
}

#[tokio::test]
async fn whoever_signs_in_at_one_side_is_known_to_the_other() {
    for pair in Pair::all().await {
        pair.all_see(&Jar::new(), &Value::Null).await;
        for side in pair.sides() {
            for username in ["jsmith", "admin", "big"] {
                let jar = signed_in(side, username).await;
                let chunked = pair.pieces(&jar).len() > 1;
                assert_eq!(chunked, username == "big", "{:?}: {:?}", pair.setting, jar.keys());
                pair.all_see(&jar, &person(username)).await;
            }
            assert_eq!(pair.pieces(&signed_in(side, "nobody").await), [""; 0]);
        }
    }
}

#[tokio::test]
async fn both_sides_send_people_to_the_same_page() {
    for pair in Pair::all().await {
        let mut pages = Vec::new();
        for side in pair.sides() {
            let answer =
                browser(side, &Jar::new()).with_header("accept", "text/html").get("/protected?a=b").await;
            assert!(answer.status.is_redirection(), "{:?}: {}", pair.setting, answer.status);
            pages.push(path_and_query(&answer));
        }
        assert_eq!(pages[0], pages[1], "{:?}", pair.setting);
        assert!(pages[0].starts_with("/api/auth/signin?"), "{}", pages[0]);
    }
}

/// `examples/beside_nextjs.rs`.
#[tokio::test]
async fn the_example_knows_the_people_of_the_site() {
    for pair in Pair::all().await {
        let auth = Auth::verifier(Secret::new(SECRET)).build().unwrap();
        let here = Browser::new(support::app(example::app(auth)));
        let mut nobody = here.clone();
        assert_eq!(nobody.get("/api/greeting").await.text(), "welcome");
        assert_eq!(nobody.get("/api/me").await.status, 401);
        assert_eq!(nobody.get("/api/admin").await.status, 401);
        for (username, name, status) in [("jsmith", "J Smith", 403), ("admin", "Zoë 日本語 🦀", 200)] {
            let mut somebody = here.clone();
            somebody.jar = signed_in(pair.next, username).await;
            assert_eq!(somebody.get("/api/greeting").await.text(), format!("welcome back, {name}"));
            assert_eq!(somebody.get("/api/me").await.json()["id"], person(username)["id"]);
            assert_eq!(somebody.get("/api/admin").await.status, status);
        }
    }
}

/// From a guard of the verifier to the site's sign-in page and back.
#[tokio::test]
async fn a_verifier_sends_people_to_the_site() {
    for pair in Pair::all().await {
        let origin = pair.setting.origin;
        let auth = Auth::verifier(Secret::new(SECRET))
            .origin(OriginPolicy::fixed(origin).unwrap())
            .sign_in_page(format!("{origin}/api/auth/signin"))
            .build()
            .unwrap();
        let verifier = Service::start(auth).await;
        let here = browser(verifier.http, &Jar::new()).with_header("accept", "text/html");
        let sent_away = here.clone().get("/protected?a=b").await;

        let mut site = browser(pair.next, &Jar::new());
        let page = site.get(&path_and_query(&sent_away)).await;
        assert_eq!(page.status, 200, "{:?}: {:?}", pair.setting, sent_away.header("location"));
        let token = site.csrf_token().await;
        let fields = [("csrfToken", &*token), ("username", "jsmith"), ("password", "hunter2")];
        let sent_back = site.post("/api/auth/callback/credentials", &fields).await;
        assert_eq!(
            sent_back.header("location"),
            Some(&*format!("{origin}/protected?a=b")),
            "{:?}",
            pair.setting
        );

        let mut here = here;
        here.jar = site.jar;
        assert_eq!(here.get("/protected?a=b").await.status, 200, "{:?}", pair.setting);
    }
}

/// Where a redirect leads; the host of `withAuth` is the one it listens at.
fn path_and_query(answer: &Answer) -> String {
    let location: Uri = answer.header("location").unwrap().parse().unwrap();
    location.path_and_query().unwrap().to_string()
}

#[tokio::test]
async fn a_token_is_read_as_bearer() {
    for pair in Pair::all().await {
        for side in pair.sides() {
            for username in ["jsmith", "big"] {
                let headers = bearer(&pair.token(&signed_in(side, username).await));
                for service in [pair.ours, pair.verifier] {
                    assert_eq!(service.grpc_user(&headers).await, person(username), "{:?}", pair.setting);
                }
                for reader in [pair.next, pair.ours.http, pair.verifier.http] {
                    let mut browser = browser(reader, &Jar::new());
                    browser.headers = headers.clone();
                    let token = browser.get("/api/token").await.json();
                    assert_eq!(token["sub"], person(username)["id"], "{:?}", pair.setting);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_sign_out_at_either_side_is_one_at_both() {
    for pair in Pair::all().await {
        for (there, here) in [(pair.next, pair.ours.http), (pair.ours.http, pair.next)] {
            for username in ["jsmith", "big"] {
                let mut browser = browser(here, &signed_in(there, username).await);
                pair.all_see(&browser.jar, &person(username)).await;
                browser.sign_out().await;
                assert_eq!(pair.pieces(&browser.jar), [""; 0], "{:?}", pair.setting);
                pair.all_see(&browser.jar, &Value::Null).await;
            }
        }
    }
}

#[tokio::test]
async fn an_update_at_either_side_is_read_by_both() {
    for pair in Pair::all().await {
        for (there, here) in [(pair.next, pair.ours.http), (pair.ours.http, pair.next)] {
            let (jar, mut expected) = (signed_in(there, "jsmith").await, person("jsmith"));
            let note = "long €".repeat(1000);
            let jar = updated(here, &jar, json!({ "name": "Jo", "note": note })).await;
            (expected["name"], expected["note"]) = ("Jo".into(), note.into());
            assert!(pair.pieces(&jar).len() > 1, "{:?}: {:?}", pair.setting, jar.keys());
            pair.all_see(&jar, &expected).await;

            // Back to one cookie, at the side that has not made the chunks.
            let jar = updated(there, &jar, json!({ "note": null })).await;
            expected.as_object_mut().unwrap().shift_remove("note");
            assert_eq!(pair.pieces(&jar), [pair.cookie()], "{:?}", pair.setting);
            pair.all_see(&jar, &expected).await;
        }
    }
}

#[tokio::test]
async fn a_session_renewed_at_either_side_is_read_by_both() {
    for pair in Pair::all().await {
        for (there, here) in [(pair.next, pair.ours.http), (pair.ours.http, pair.next)] {
            for username in ["jsmith", "big"] {
                let jar = signed_in(there, username).await;
                let mut browser = browser(here, &jar);
                assert_eq!(without_nulls(browser.session().await["user"].take()), person(username));
                assert_ne!(pair.token(&browser.jar), pair.token(&jar), "{:?}", pair.setting);
                pair.all_see(&browser.jar, &person(username)).await;
            }
        }
    }
}

/// The middleware of Auth.js 5 renews, too.
#[tokio::test]
async fn a_session_renewed_by_middleware_is_read_by_both() {
    for pair in Pair::all().await.into_iter().filter(|pair| pair.setting.dialect == Dialect::V5) {
        let jar = signed_in(pair.ours.http, "big").await;
        let mut browser = browser(pair.next, &jar);
        let page = browser.get("/protected").await.text();
        assert!(page.contains("big@example.com"), "{page}");
        assert_ne!(pair.token(&browser.jar), pair.token(&jar), "{:?}", pair.setting);
        pair.all_see(&browser.jar, &person("big")).await;
    }
}

#[tokio::test]
async fn a_tampered_cookie_is_nobody_to_both() {
    for pair in Pair::all().await {
        for side in pair.sides() {
            let jar = signed_in(side, "jsmith").await;
            pair.all_see(&jar, &person("jsmith")).await;
            let token = &jar[&pair.cookie()];
            // Initialisation vector, ciphertext and tag.
            for part in [2, 3, 4] {
                let at = token.match_indices('.').nth(part - 1).unwrap().0 + 4;
                let other = if &token[at..=at] == "A" { "B" } else { "A" };
                let mut tampered = token.clone();
                tampered.replace_range(at..=at, other);
                let jar = Jar::from([(pair.cookie(), tampered)]);
                pair.all_see(&jar, &Value::Null).await;
            }
            let jar = signed_in(side, "big").await;
            for piece in pair.pieces(&jar) {
                let mut jar = jar.clone();
                jar.remove(&piece);
                pair.all_see(&jar, &Value::Null).await;
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_of_http_is_nobody_at_https() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let [http, https] = [HTTP, HTTPS].map(|origin| Setting { dialect, origin, secrets: &[SECRET] });
        let Some((http, https)) = Pair::of(http).await.zip(Pair::of(https).await) else { return };
        for (there, here) in [(&http, &https), (&https, &http)] {
            for side in there.sides() {
                let jar = signed_in(side, "jsmith").await;
                for reader in here.sides() {
                    assert_eq!(see(reader, &jar).await.user, Value::Null, "{:?}", here.setting);
                }
                // Without an origin it takes what either scheme has.
                assert_eq!(see(here.verifier.http, &jar).await.user, person("jsmith"));
            }
        }
    }
}

/// A site that went from v4 to v5 leaves cookies of v4 in browsers, which its sign-out does not remove.
#[tokio::test]
async fn a_verifier_of_one_generation_leaves_the_other_alone() {
    let [v4, v5] =
        [Dialect::V4, Dialect::V5].map(|dialect| Setting { dialect, origin: HTTP, secrets: &[SECRET] });
    let Some((before, site)) = v4.site().zip(v5.site()) else { return };
    let auth = Auth::verifier(Secret::new(SECRET)).dialects([Dialect::V5]).build().unwrap();
    let verifier = Service::start(auth).await;
    let mut browser = browser(site, &signed_in(before, "jsmith").await);
    assert_eq!(see(verifier.http, &browser.jar).await.user, Value::Null);
    browser.sign_in("admin", "hunter2").await;
    for reader in [site, verifier.http] {
        assert_eq!(see(reader, &browser.jar).await.user["email"], "admin@example.com");
    }
    browser.sign_out().await;
    for reader in [site, verifier.http] {
        assert_eq!(see(reader, &browser.jar).await.user, Value::Null);
    }
}

/// Auth.js 5 knows a list of secrets, as we do.
#[tokio::test]
async fn a_new_secret_signs_nobody_out() {
    for origin in [HTTP, HTTPS] {
        let setting = |secrets| Setting { dialect: Dialect::V5, origin, secrets };
        let Some(both) = Pair::of(setting(&[SECRET, OLDER])).await else { return };
        let Some(new) = Pair::of(setting(&[SECRET])).await else { return };
        let old = Service::start(site_like(setting(&[OLDER]))).await;
        let smith = person("jsmith");

        // Ours has made it with the old one; who has the new one alone cannot know.
        let jar = signed_in(old.http, "jsmith").await;
        both.all_see(&jar, &smith).await;
        new.all_see(&jar, &Value::Null).await;
        // Whoever has both writes with the new one.
        for side in both.sides() {
            let mut browser = browser(side, &jar);
            browser.session().await;
            new.all_see(&browser.jar, &smith).await;
            assert_eq!(see(old.http, &browser.jar).await.user, Value::Null);
            new.all_see(&signed_in(side, "jsmith").await, &smith).await;
        }
    }
}

/// next-auth 4 has one secret; those who read beside it may have more.
#[tokio::test]
async fn we_may_have_the_next_secret_before_the_site() {
    for pair in Pair::all().await {
        let ahead = Service::start(site_like(Setting { secrets: &[NEWER, SECRET], ..pair.setting })).await;
        let reader = Service::start(verifier(&[NEWER, SECRET])).await;
        let jar = signed_in(pair.next, "big").await;
        for service in [ahead, reader] {
            assert_eq!(see(service.http, &jar).await.user, person("big"), "{:?}", pair.setting);
            assert_eq!(service.grpc_user(&cookies(&jar)).await, person("big"), "{:?}", pair.setting);
        }
        // What we write with it, the site does not know yet.
        let jar = signed_in(ahead.http, "big").await;
        assert_eq!(see(pair.next, &jar).await.user, Value::Null, "{:?}", pair.setting);
    }
}
