//! What is written down: row S81 of `docs/security.md`.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Credentials, Dialect, Field, OriginPolicy, RequireAuth, Secret,
    Submitted, Token, User,
    codec::{Codec, JweCbc, JweGcm, JwsHs512},
    get_auth_context, get_server_session, get_token,
};
use tower::{Layer, service_fn};
use tracing::Level;

use crate::support::{App, Browser, DAY, ManualClock, NOW, ORIGIN, app, log::Log};

const SECRET: &str = "canary-5ecr3t-f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc";
const OLD_SECRET: &str = "canary-0ld-9cLw2Rk7Xz4Vb1Nq8Tm5Yh3Jd6Gs";
const PASSWORD: &str = "canary-pa55word";
const WRONG: &str = "canary-wr0ng-pa55word";
const PRIVATE: &str = "canary.person@example.com";

fn auth(clock: &ManualClock, dialect: Dialect, output: &Log) -> Auth {
    let submitted = output.clone();
    let check = move |form: Submitted| {
        submitted.debug(&form);
        let user = User::new("1").email(PRIVATE).name(PRIVATE).with("note", PRIVATE);
        submitted.debug(&user);
        let known = form.get("password") == Some(PASSWORD);
        async move { Ok::<_, BoxError>(known.then_some(user)) }
    };
    let builder = Auth::builder(Secret::new(SECRET).or_previous(OLD_SECRET))
        .dialect(dialect)
        .clock(clock.clone())
        .origin(OriginPolicy::fixed(ORIGIN).unwrap())
        .provider(Credentials::new(check).field(Field::password("password", "Password")));
    output.site(builder)
}

/// A handler that prints all that it gets.
fn talkative(auth: Auth, output: &Log) -> App {
    let layer = AuthLayer::new(auth);
    output.debug(&layer);
    let output = output.clone();
    app(layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
        output.debug(&get_server_session(&request));
        output.debug(&get_token::<Claims>(&request));
        if let Ok(Some(Token { claims, .. })) = get_token::<Claims>(&request) {
            output.debug(&claims);
        }
        output.debug(&get_auth_context(&request));
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    })))
}

/// Signs in wrongly and rightly, reads, renews, updates, forges, and signs out. Answers the values that nobody
/// may find in the output.
async fn whole_flow(dialect: Dialect, output: &Log) -> Vec<String> {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(talkative(auth(&clock, dialect, output), output));
    let mut private: Vec<String> = [SECRET, OLD_SECRET, PASSWORD, WRONG, PRIVATE].map(str::to_owned).into();
    let token = browser.csrf_token().await;
    private.push(token.clone());
    for password in [WRONG, PASSWORD] {
        for csrf in ["canary-csrf", &token] {
            let fields =
                [("csrfToken", csrf), ("password", password), ("json", "true"), ("error", "canary-field")];
            browser.post("/api/auth/callback/credentials?canary=canary-query", &fields).await;
            private.extend(browser.jar.values().cloned());
        }
    }
    for uri in [
        "/",
        "/api/auth/session",
        "/api/auth/providers",
        "/api/auth/signin",
        "/api/auth/error?error=canary-query",
    ] {
        browser.get(uri).await;
        clock.advance(2 * DAY);
        private.extend(browser.jar.values().cloned());
    }
    let body = serde_json::json!({ "csrfToken": token, "data": { "x": "canary-update" } }).to_string();
    browser.send(Method::POST, "/api/auth/session", Some("application/json"), body.into()).await;
    browser
        .send(Method::POST, "/api/auth/session", Some("application/json"), "{\"canary-broken".into())
        .await;
    let session = browser.jar.iter().find(|(name, _)| name.ends_with("session-token")).unwrap();
    let (name, value) = (session.0.clone(), session.1.clone());
    for forged in [
        format!("{value}canary-forged"),
        "canary-forged".to_owned(),
        value.replacen('.', ".canary-forged.", 1),
    ] {
        browser.clone().with_cookie(&name, &forged).get("/").await;
        let mut bearer = browser.clone().with_header("authorization", &format!("Bearer {forged}"));
        bearer.jar.clear();
        bearer.get("/").await;
    }
    let mut cross_site = browser.clone().with_header("origin", "https://canary-origin.example");
    cross_site.post("/api/auth/signout", &[("csrfToken", &token)]).await;
    browser
        .post("/api/auth/_log", &[("code", "SIGNIN"), ("message", "canary-message"), ("level", "error")])
        .await;
    browser.post("/api/auth/signout", &[("csrfToken", "canary-csrf")]).await;
    browser.post("/api/auth/signout", &[("csrfToken", &token)]).await;
    clock.advance(100 * DAY);
    browser.with_cookie(&name, &value).get("/").await;
    private.push("canary".to_owned());
    private.retain(|value| value.len() > 5 && !value.starts_with("http"));
    private
}

#[tokio::test]
async fn s81_nothing_private_is_logged_or_printed() {
    for dialect in Dialect::ALL {
        let (output, guard) = Log::of(Level::TRACE);
        let private = whole_flow(dialect, &output).await;
        drop(guard);
        let text = output.text();
        for logged in [
            "a session token was refused",
            "without a verified CSRF token",
            "a post from another origin",
            "Session",
        ] {
            assert!(text.contains(logged), "{dialect}: nothing was captured of {logged:?}: {text}");
        }
        assert!(private.len() > 10);
        for value in private {
            let line = text.lines().find(|line| line.contains(&value));
            assert!(line.is_none(), "{dialect}: {value} stands in {line:?}");
        }
    }
}

/// The types that hold secrets and are not given to callbacks.
#[test]
fn s81_no_debug_text_holds_a_secret() {
    let output = Log::default();
    let secret = Secret::new(SECRET).or_previous(OLD_SECRET);
    output.debug(&secret);
    let claims = format!(r#"{{"sub":"1","email":"{PRIVATE}"}}"#);
    let codecs: [&dyn Codec; 3] =
        [&JweGcm::new(&secret, ""), &JweCbc::new(&secret, "x"), &JwsHs512::new(&secret)];
    for codec in codecs {
        let token = codec.encode(claims.as_bytes()).unwrap();
        output.debug(&codec);
        output.debug(&codec.decode(&token));
        output.debug(&codec.decode(&format!("{token}canary")));
        output.debug(&codec.decode("canary.canary.canary"));
    }
    output.debug(&Auth::builder(Secret::new("canary")).build());
    output.debug(&RequireAuth::role("canary-role"));
    let text = output.text();
    assert!(text.contains("redacted"));
    assert!(!text.contains("canary"), "{text}");
}
