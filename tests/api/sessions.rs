//! Tokens and the life of a session: rows S11 to S20 of `docs/security.md`.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Dialect, JwtContext, Lifetime, OriginPolicy, Secret, Trigger,
    codec::{Codec, JweCbc, JweGcm, JwsHs512},
    get_token,
};
use tower::{Layer, service_fn};

use crate::support::{
    App, Browser, DAY, ManualClock, NOW, ORIGIN, SECRET, app, builder, credentials, whoami,
};

const HOUR: Duration = Duration::from_secs(3600);
const V4: &str = "next-auth.session-token";
const V5: &str = "authjs.session-token";

fn cookie_of(dialect: Dialect) -> &'static str {
    if dialect == Dialect::V5 { V5 } else { V4 }
}

/// Says whose token a request carries, in the cookie or as bearer.
fn whose_token(auth: Auth) -> App {
    app(AuthLayer::new(auth).layer(service_fn(async |request: Request<Full<Bytes>>| {
        let token = get_token::<Claims>(&request).unwrap();
        let who = token.and_then(|token| token.subject().map(|subject| subject.into_owned()));
        let text = who.unwrap_or_else(|| "nobody".to_owned());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    })))
}

/// Who a token makes of its bearer: in the session cookie, and in `Authorization`.
async fn who(clock: &ManualClock, dialect: Dialect, token: &str) -> [String; 3] {
    let auth = || builder(clock).dialect(dialect).build().unwrap();
    let cookie = cookie_of(dialect);
    [
        Browser::new(whoami(auth())).with_cookie(cookie, token).who().await,
        Browser::new(whose_token(auth())).with_cookie(cookie, token).who().await,
        Browser::new(whose_token(auth()))
            .with_header("authorization", &format!("Bearer {token}"))
            .who()
            .await,
    ]
}

fn v4_token(claims: &str) -> String {
    JweGcm::new(&Secret::new(SECRET), "").encode(claims.as_bytes()).unwrap()
}

#[tokio::test]
async fn s11_times_that_are_missing_malformed_or_off() {
    let clock = ManualClock::at(NOW);
    let (exp, iat) = (NOW + 3600, NOW - 60);
    let mut refused = vec![format!(r#"{{"sub":"1","iat":{iat}}}"#)];
    for value in
        [r#""1799999999""#, "{}", "[]", "null", "true", "-1", "1e400", "1e300", "99999999999999999999"]
    {
        refused.push(format!(r#"{{"sub":"1","exp":{value}}}"#));
        for claim in ["iat", "nbf", "auth_time"] {
            refused.push(format!(r#"{{"sub":"1","exp":{exp},"{claim}":{value}}}"#));
        }
    }
    refused.push(format!(r#"{{"sub":"1","exp":{exp},"exp":{exp}}}"#));
    refused.push(format!(r#"{{"sub":"1","exp":{}}}"#, NOW - 15));
    refused.push(format!(r#"{{"sub":"1","exp":{exp},"nbf":{}}}"#, NOW + 16));
    refused.push(format!(r#"{{"sub":"1","exp":{exp},"iat":{}}}"#, NOW + 16));
    refused.push(format!(r#"{{"sub":"1","exp":{exp},"iat":{}}}"#, NOW + 10_000_000));
    for claims in refused {
        assert_eq!(who(&clock, Dialect::V4, &v4_token(&claims)).await, ["nobody"; 3], "{claims}");
    }
    for claims in [
        format!(r#"{{"sub":"1","iat":{iat},"exp":{exp}}}"#),
        format!(r#"{{"sub":"1","exp":{exp}.5}}"#),
        format!(r#"{{"sub":"1","exp":{}}}"#, NOW - 14),
        format!(r#"{{"sub":"1","exp":{exp},"nbf":{0},"iat":{0}}}"#, NOW + 15),
    ] {
        assert_eq!(who(&clock, Dialect::V4, &v4_token(&claims)).await, ["1"; 3], "{claims}");
    }
}

/// Tokens made for every purpose there is, and whether a dialect takes one for a session.
fn tokens_of_all_kinds() -> Vec<(String, String)> {
    let secret = Secret::new(SECRET);
    let claims = format!(r#"{{"sub":"1","iat":{NOW},"exp":{}}}"#, NOW + 3600);
    let mut tokens = vec![("v3".to_owned(), JwsHs512::new(&secret).encode(claims.as_bytes()).unwrap())];
    let purposes =
        ["session-token", "state", "pkce.code_verifier", "nonce", "challenge", "callback-url", "csrf-token"];
    for prefix in ["", "__Secure-", "__Host-"] {
        for stem in ["next-auth", "authjs"] {
            for purpose in purposes {
                let salt = format!("{prefix}{stem}.{purpose}");
                let gcm = JweGcm::new(&secret, &salt).encode(claims.as_bytes()).unwrap();
                tokens.push((format!("gcm {salt}"), gcm));
                let cbc = JweCbc::new(&secret, &salt).encode(claims.as_bytes()).unwrap();
                tokens.push((format!("cbc {salt}"), cbc));
            }
        }
    }
    tokens.push(("gcm".to_owned(), v4_token(&claims)));
    tokens.push(("cbc".to_owned(), JweCbc::new(&secret, "").encode(claims.as_bytes()).unwrap()));
    tokens
}

#[tokio::test]
async fn s12_only_a_session_token_is_a_session() {
    let clock = ManualClock::at(NOW);
    for (dialect, own) in [(Dialect::V4, "gcm"), (Dialect::V5, "cbc authjs.session-token")] {
        for (kind, token) in tokens_of_all_kinds() {
            let expected = if kind == own { "1" } else { "nobody" };
            assert_eq!(who(&clock, dialect, &token).await, [expected; 3], "{kind} read as {dialect}");
        }
    }
    let signed = tokens_of_all_kinds().swap_remove(0).1;
    assert_eq!(who(&clock, Dialect::V3, &signed).await, ["1"; 3]);
}

/// And a session token, or the CSRF cookie of the browser itself, stands for nothing else.
#[tokio::test]
async fn s12_a_token_is_good_in_its_own_place_only() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let app = whoami(builder(&clock).dialect(dialect).build().unwrap());
        let mut browser = Browser::new(app.clone());
        browser.sign_in("jsmith", "hunter2").await;
        let session = cookie_of(dialect);
        let csrf = session.replace("session-token", "csrf-token");
        let (token, csrf_value) = (browser.jar[session].clone(), browser.jar[&csrf].clone());

        let mut confused = Browser::new(app.clone()).with_cookie(session, &csrf_value);
        assert_eq!(confused.who().await, "nobody", "{dialect}: the CSRF cookie as a session");
        for csrf_value in [token.clone(), format!("{token}|{token}")] {
            let mut confused =
                Browser::new(app.clone()).with_cookie(session, &token).with_cookie(&csrf, &csrf_value);
            confused.post("/api/auth/signout", &[("csrfToken", &token)]).await;
            assert_eq!(confused.who().await, "1", "{dialect}: the session as a CSRF cookie");
        }
    }
}

#[tokio::test]
async fn s13_a_token_without_a_subject_is_nobody() {
    let clock = ManualClock::at(NOW);
    let exp = NOW + 3600;
    for subject in ["", r#""sub":"","#, r#""sub":null,"#, r#""sub":{},"#, r#""sub":[],"#, r#""sub":true,"#] {
        let token =
            v4_token(&format!(r#"{{{subject}"name":"X","email":"x@example.com","iat":{NOW},"exp":{exp}}}"#));
        assert_eq!(who(&clock, Dialect::V4, &token).await, ["nobody"; 3], "{subject}");
        let mut browser = Browser::new(whoami(builder(&clock).build().unwrap())).with_cookie(V4, &token);
        assert_eq!(browser.session().await, serde_json::json!({}), "{subject}");
    }
}

/// What a `jwt` callback does to the subject at sign-ins or afterwards.
#[derive(Clone, Copy, Debug)]
enum Meddling {
    Remove,
    Swap,
    Empty,
}

impl Meddling {
    fn apply(self, token: &mut Claims) {
        match self {
            Self::Remove => drop(token.remove("sub")),
            Self::Swap => token.insert("sub", "2"),
            Self::Empty => token.insert("sub", ""),
        }
    }
}

#[tokio::test]
async fn s13_callbacks_cannot_change_the_subject() {
    for meddling in [Meddling::Remove, Meddling::Swap, Meddling::Empty] {
        for dialect in Dialect::ALL {
            let clock = ManualClock::at(NOW);
            let meddle = move |when: fn(Option<Trigger>) -> bool| {
                move |context: JwtContext| async move {
                    let JwtContext { mut token, trigger, .. } = context;
                    if when(trigger) {
                        meddling.apply(&mut token);
                    }
                    Ok::<_, BoxError>(Some(token))
                }
            };
            let about = format!("{dialect}, {meddling:?}");
            let name = cookie_of(dialect);

            let at_sign_in =
                builder(&clock).dialect(dialect).on_jwt(meddle(|trigger| trigger == Some(Trigger::SignIn)));
            let mut browser = Browser::new(whoami(at_sign_in.build().unwrap()));
            let answer = browser.sign_in("jsmith", "hunter2").await;
            assert!(
                answer.cookie(name).is_none() && answer.text().contains("error=Configuration"),
                "{about}"
            );
            assert_eq!(browser.who().await, "nobody", "{about}");

            let later =
                builder(&clock).dialect(dialect).on_jwt(meddle(|trigger| trigger != Some(Trigger::SignIn)));
            let mut browser = Browser::new(whoami(later.build().unwrap()));
            browser.sign_in("jsmith", "hunter2").await;
            assert_eq!(browser.who().await, "1", "{about}: not asked yet");
            clock.advance(2 * DAY);
            let renewed = browser.get("/").await;
            assert_eq!(
                (renewed.text().as_str(), renewed.cookies().len()),
                ("SessionCallbackError", 0),
                "{about}"
            );
            let shown = browser.session().await;
            assert!(shown.get("user").is_none(), "{about}: {shown}");
        }
    }
}

#[test]
fn s14_weak_secrets_do_not_start() {
    let clock = ManualClock::at(NOW);
    let problems = |secret: Secret| {
        let builder = Auth::builder(secret).origin(OriginPolicy::fixed(ORIGIN).unwrap()).clock(clock.clone());
        match builder.provider(credentials()).build() {
            Ok(_) => Vec::new(),
            Err(error) => error.problems().map(|(problem, remedy)| format!("{problem}; {remedy}")).collect(),
        }
    };
    for weak in
        ["", "secret", "changeme", "12345678", &"a".repeat(64), "please-change-me-please-change-me-please"]
    {
        for secret in [Secret::new(weak), Secret::new(SECRET).or_previous(weak)] {
            let found = problems(secret);
            assert_eq!(found.len(), 1, "{weak}: {found:?}");
            assert!(found[0].contains("openssl rand"), "the remedy: {found:?}");
            assert!(
                ["", "secret"].contains(&weak) || !found[0].contains(weak),
                "the secret itself: {found:?}"
            );
        }
    }
    assert_eq!(
        problems(Secret::new("").or_previous("secret").or_previous("changeme")).len(),
        3,
        "all at once"
    );
    assert!(problems(Secret::new(SECRET)).is_empty());
}

const NEW_SECRET: &str = "9cLw2Rk7Xz4Vb1Nq8Tm5Yh3Jd6Gs0PfA";

#[tokio::test]
async fn s15_a_rotation_signs_nobody_out_and_ends_the_removed_secret() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let with = |secret: Secret| {
            let builder =
                Auth::builder(secret).origin(OriginPolicy::fixed(ORIGIN).unwrap()).clock(clock.clone());
            whoami(builder.dialect(dialect).provider(credentials()).build().unwrap())
        };
        let name = cookie_of(dialect);
        let mut before = Browser::new(with(Secret::new(SECRET)));
        before.sign_in("jsmith", "hunter2").await;

        let rotating = with(Secret::new(NEW_SECRET).or_previous(SECRET));
        let mut visitor = Browser::new(rotating);
        visitor.jar = before.jar.clone();
        let answer = visitor.get("/").await;
        assert_eq!(answer.text(), "1", "{dialect}: nobody is signed out");
        assert!(answer.cookie(name).is_some(), "{dialect}: sealed anew at the next request");
        assert!(visitor.get("/").await.cookie(name).is_none(), "{dialect}: once");

        let done = with(Secret::new(NEW_SECRET));
        for (jar, who) in [(visitor.jar, "1"), (before.jar, "nobody")] {
            let mut browser = Browser::new(done.clone());
            browser.jar = jar;
            assert_eq!(browser.who().await, who, "{dialect}: after the old secret is gone");
        }
    }
}

/// 256 random bits in a CSRF token, another one each time; and no two tokens of one user are the same.
#[tokio::test]
async fn s17_random_values_do_not_repeat() {
    let clock = ManualClock::at(NOW);
    let app = whoami(builder(&clock).build().unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let token = Browser::new(app.clone()).csrf_token().await;
        assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
        assert!(seen.insert(token), "a CSRF token came twice");
        let mut browser = Browser::new(app.clone());
        browser.sign_in("jsmith", "hunter2").await;
        assert!(seen.insert(browser.jar[V4].clone()), "a session token came twice");
    }
}

#[tokio::test]
async fn s18_a_sign_in_makes_a_new_token() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let auth = builder(&clock).dialect(dialect).build().unwrap();
        let name = cookie_of(dialect);
        let mut browser = Browser::new(whoami(auth.clone()));
        let mut token_ids = std::collections::BTreeSet::new();
        for (user, who) in [("jsmith", "1"), ("jsmith", "1"), ("admin", "2")] {
            let answer = browser.sign_in(user, "hunter2").await;
            assert!(answer.cookie(name).is_some(), "{dialect}: {user}");
            assert_eq!(browser.who().await, who, "{dialect}: {user}");
            let mut inspector = Browser::new(jti(auth.clone()));
            inspector.jar = browser.jar.clone();
            assert!(token_ids.insert(inspector.who().await), "{dialect}: {user} got an old token");
        }
    }
}

/// Says the id of the token.
fn jti(auth: Auth) -> App {
    app(AuthLayer::new(auth).layer(service_fn(async |request: Request<Full<Bytes>>| {
        let token = get_token::<Claims>(&request).unwrap().unwrap();
        let id = token.get_str("jti").unwrap().to_owned();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(id))))
    })))
}

/// Somebody who never stops is out at the absolute limit, whichever way the session is renewed.
#[tokio::test]
async fn s19_renewals_never_pass_the_absolute_limit() {
    for (dialect, uri) in
        Dialect::ALL.into_iter().flat_map(|dialect| [(dialect, "/"), (dialect, "/api/auth/session")])
    {
        let clock = ManualClock::at(NOW);
        let lifetime = Lifetime::new(8 * HOUR, HOUR).unwrap().absolute(24 * HOUR).unwrap();
        let mut browser =
            Browser::new(whoami(builder(&clock).dialect(dialect).lifetime(lifetime).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let end = NOW + 24 * 3600;
        for hour in 1..24 {
            clock.advance(HOUR);
            for cookie in browser.get(uri).await.cookies() {
                if let Some(expires) = cookie.expires_datetime() {
                    assert!(expires.unix_timestamp() <= end, "{dialect} {uri}: hour {hour}");
                }
            }
            assert_eq!(browser.who().await, "1", "{dialect} {uri}: hour {hour}");
        }
        clock.advance(HOUR);
        assert_eq!(browser.who().await, "nobody", "{dialect} {uri}");
    }
}

/// The cookie is sent although the browser should have dropped it: the server counts the time.
#[tokio::test]
async fn s19_idle_sessions_end_whatever_the_cookie_says() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let lifetime = Lifetime::new(8 * HOUR, HOUR).unwrap();
        let mut browser =
            Browser::new(whoami(builder(&clock).dialect(dialect).lifetime(lifetime).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let replayed = browser.clone();
        clock.advance(7 * HOUR);
        assert_eq!(browser.who().await, "1", "{dialect}: and renewed");
        clock.advance(HOUR + Duration::from_secs(15));
        assert_eq!(browser.who().await, "1", "{dialect}: the renewed one");
        assert_eq!(replayed.clone().who().await, "nobody", "{dialect}: the one that was kept");
        assert!(replayed.clone().session().await.get("user").is_none(), "{dialect}");
    }
}

#[tokio::test]
async fn s87_a_clock_that_steps_back_prolongs_nothing() {
    let clock = ManualClock::at(NOW);
    let lifetime = Lifetime::new(8 * HOUR, HOUR).unwrap().absolute(12 * HOUR).unwrap();
    let mut browser = Browser::new(whoami(builder(&clock).lifetime(lifetime).build().unwrap()));
    browser.sign_in("jsmith", "hunter2").await;
    clock.advance(6 * HOUR);
    assert_eq!(browser.who().await, "1");
    clock.set(NOW - 24 * 3600);
    let answer = browser.get("/").await;
    assert_eq!((answer.text().as_str(), answer.cookies().len()), ("nobody", 0), "sealed in the future");
    clock.set(NOW + 6 * 3600 - 10);
    assert_eq!(browser.get("/").await.text(), "1", "a few seconds are let pass");
    clock.set(NOW + 12 * 3600);
    assert_eq!(browser.who().await, "nobody", "the absolute end has not moved");
}

#[tokio::test]
async fn s20_invented_ids_never_become_sessions() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let app = whoami(builder(&clock).dialect(dialect).build().unwrap());
        let name = cookie_of(dialect);
        for number in 0..1000u64 {
            let id = match number % 4 {
                0 => format!("{number:032x}"),
                1 => format!("{number:08x}-0000-4000-8000-000000000000"),
                2 => format!("eyJhbGciOiJkaXIifQ..{number:016x}.{number:064x}.{number:022x}"),
                _ => format!("eyJhbGciOiJub25lIn0.eyJzdWIiOiI{number}In0."),
            };
            let mut browser = Browser::new(app.clone()).with_cookie(name, &id);
            let answer = browser.get("/").await;
            assert_eq!((answer.text().as_str(), answer.cookies().len()), ("nobody", 0), "{dialect}: {id}");
            let shown = browser.get("/api/auth/session").await;
            assert!(shown.json().get("user").is_none(), "{dialect}: {id}");
            assert!(shown.cookie(name).is_none_or(|cookie| cookie.value().is_empty()), "{dialect}: {id}");
        }
    }
}
