//! A service that has the secret and nothing else: it reads what sites write, and writes nothing.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, Dialect, OriginPolicy, RequireAuth, Secret, SessionErrorKind, User, VerifierBuilder,
    codec::{Codec, JweCbc, JweGcm, JwsHs512},
    get_auth_context,
};
use serde_json::json;
use tower::{Layer, service_fn};

use crate::support::{Browser, DAY, ManualClock, NOW, SECRET, app, builder, whoami};

const OTHER_SECRET: &str = "9cLw2Rk7Xz4Vb1Nq8Tm5Yh3Jd6Gs0PfA";

fn verifier(clock: &ManualClock) -> VerifierBuilder {
    Auth::verifier(Secret::new(SECRET)).clock(clock.clone())
}

async fn who(auth: Auth, jar: &[(&str, &str)]) -> String {
    let mut browser = Browser::new(whoami(auth));
    browser.jar = jar.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    browser.who().await
}

fn claims(subject: &str) -> Vec<u8> {
    json!({ "sub": subject, "iat": NOW, "exp": NOW + 3600 }).to_string().into_bytes()
}

/// Every dialect at every scheme, signed in for real: with a small session, and with one in chunks.
#[tokio::test]
async fn reads_what_sites_write() {
    let clock = ManualClock::at(NOW);
    for dialect in Dialect::ALL {
        for origin in ["http://localhost:3000", "https://app.example"] {
            for length in [10, 9000] {
                let site = builder(&clock)
                    .origin(OriginPolicy::fixed(origin).unwrap())
                    .dialect(dialect)
                    .on_jwt(move |context: portcullis::JwtContext| async move {
                        let mut token = context.token;
                        token.insert("note", "x".repeat(length));
                        Ok(Some(token))
                    });
                let mut browser = Browser::new(whoami(site.build().unwrap()));
                browser.sign_in("jsmith", "hunter2").await;
                let jar: Vec<_> = browser.jar.iter().map(|(name, value)| (&**name, &**value)).collect();
                let case = format!("{dialect} {origin} {length}");
                assert_eq!(who(verifier(&clock).build().unwrap(), &jar).await, "1", "{case}");
                let other = Auth::verifier(Secret::new(OTHER_SECRET)).clock(clock.clone());
                assert_eq!(who(other.build().unwrap(), &jar).await, "nobody", "{case}: another secret");
                let rotated = Secret::new(OTHER_SECRET).or_previous(SECRET);
                let rotated = Auth::verifier(rotated).clock(clock.clone()).build().unwrap();
                assert_eq!(who(rotated, &jar).await, "1", "{case}: a rotated secret");
                let elsewhere =
                    if origin.starts_with("https") { "http://app.example" } else { "https://localhost:3000" };
                let elsewhere = verifier(&clock).origin(OriginPolicy::fixed(elsewhere).unwrap());
                assert_eq!(who(elsewhere.build().unwrap(), &jar).await, "nobody", "{case}: the other scheme");
                let here = verifier(&clock).origin(OriginPolicy::fixed(origin).unwrap()).dialects([dialect]);
                assert_eq!(who(here.build().unwrap(), &jar).await, "1", "{case}: only this");
            }
        }
    }
}

#[tokio::test]
async fn reads_bearer_tokens_of_each_dialect() {
    let clock = ManualClock::at(NOW);
    let secret = Secret::new(SECRET);
    let tokens = [
        JweGcm::new(&secret, "").encode(&claims("4")).unwrap(),
        JweCbc::new(&secret, "authjs.session-token").encode(&claims("5")).unwrap(),
        JweCbc::new(&secret, "__Secure-authjs.session-token").encode(&claims("5")).unwrap(),
        JwsHs512::new(&secret).encode(&claims("3")).unwrap(),
    ];
    let ask = async |auth: Auth, token: &str| {
        Browser::new(whoami(auth)).with_header("authorization", &format!("Bearer {token}")).who().await
    };
    let site = || builder(&clock).accept(Dialect::V5).accept(Dialect::V3);
    for (token, subject) in tokens.iter().zip(["4", "5", "5", "3"]) {
        assert_eq!(ask(verifier(&clock).build().unwrap(), token).await, subject);
        assert_eq!(ask(site().build().unwrap(), token).await, "nobody", "a site takes none by default");
    }
    assert_eq!(ask(site().bearer_sessions(true).build().unwrap(), &tokens[0]).await, "4");
    clock.advance(DAY);
    assert_eq!(ask(verifier(&clock).build().unwrap(), &tokens[0]).await, "nobody", "expired");
}

/// Cookies of the two schemes that are about different people are disputed; one of them may be planted.
#[tokio::test]
async fn s03_disputed_cookies_are_nobody() {
    let clock = ManualClock::at(NOW);
    let token = |subject: &str| JweGcm::new(&Secret::new(SECRET), "").encode(&claims(subject)).unwrap();
    let (one, two) = (token("1"), token("2"));
    let names = ["next-auth.session-token", "__Secure-next-auth.session-token"];
    let ask = async |first: &str, second: &str| {
        who(verifier(&clock).build().unwrap(), &[(names[0], first), (names[1], second)]).await
    };
    assert_eq!(ask(&one, &one).await, "1");
    assert_eq!(ask(&one, &two).await, "nobody");
    assert_eq!(ask("rubbish", &two).await, "2");
    let https = verifier(&clock).origin(OriginPolicy::fixed("https://app.example").unwrap()).build().unwrap();
    assert_eq!(who(https, &[(names[0], &one), (names[1], &two)]).await, "2", "only the secure one is read");
}

/// No endpoints, no cookies, whatever is asked.
#[tokio::test]
async fn writes_nothing() {
    let clock = ManualClock::at(NOW);
    let token = JweGcm::new(&Secret::new(SECRET), "").encode(&claims("1")).unwrap();
    // Due for a renewal at a site.
    let auth = verifier(&clock).build().unwrap();
    for path in ["/api/auth/session", "/api/auth/signin", "/api/auth/csrf", "/api/auth", "/"] {
        for method in [Method::GET, Method::POST] {
            let mut browser =
                Browser::new(whoami(auth.clone())).with_cookie("next-auth.session-token", &token);
            let answer = browser.send(method, path, None, Bytes::new()).await;
            assert_eq!((answer.text(), answer.cookies().len()), ("1".to_owned(), 0), "{path}");
        }
    }
    let service = service_fn(async |request: Request<Full<Bytes>>| {
        let context = get_auth_context(&request).unwrap();
        context.sign_out().await.unwrap();
        let signed_in = context.sign_in(User::new("2")).await.is_ok();
        let updated = context.update(json!({})).await.map_err(|error| error.kind());
        assert_eq!(updated.unwrap_err(), SessionErrorKind::ReadOnly);
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(signed_in.to_string()))))
    });
    let app = app(AuthLayer::new(auth).layer(service));
    let answer = Browser::new(app).with_cookie("next-auth.session-token", &token).get("/").await;
    assert_eq!((answer.text().as_str(), answer.cookies().len()), ("false", 0));
}

/// A session that came in a header has no cookie to renew, at a site either.
#[tokio::test]
async fn bearer_sessions_are_read_only() {
    let clock = ManualClock::at(NOW);
    let token = JweGcm::new(&Secret::new(SECRET), "").encode(&claims("1")).unwrap();
    let service = service_fn(async |request: Request<Full<Bytes>>| {
        let context = get_auth_context(&request).unwrap();
        let text = format!("{:?}", context.update(json!({})).await.map_err(|error| error.kind()));
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    });
    let auth = builder(&clock).bearer_sessions(true).renew_on_read(true).build().unwrap();
    let mut browser = Browser::new(app(AuthLayer::new(auth).layer(service)))
        .with_header(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"));
    let answer = browser.get("/").await;
    assert_eq!((answer.text().as_str(), answer.cookies().len()), ("Err(ReadOnly)", 0));
    assert_eq!(answer.header("vary"), Some("cookie, authorization"));
}

#[tokio::test]
async fn issuer_audience_and_another_name() {
    let clock = ManualClock::at(NOW);
    let sealed = |more: serde_json::Value| {
        let mut claims = json!({ "sub": "1", "iat": NOW, "exp": NOW + 3600 });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        JweGcm::new(&Secret::new(SECRET), "").encode(claims.to_string().as_bytes()).unwrap()
    };
    let auth = || verifier(&clock).issuer("https://id.example").audience("api").session_cookie("__Host-sid");
    for (more, expected) in [
        (json!({ "iss": "https://id.example", "aud": ["web", "api"] }), "1"),
        (json!({ "iss": "https://id.example" }), "nobody"),
        (json!({ "iss": "https://evil.example", "aud": "api" }), "nobody"),
        (json!({}), "nobody"),
    ] {
        assert_eq!(
            who(auth().build().unwrap(), &[("__Host-sid", &sealed(more.clone()))]).await,
            expected,
            "{more}"
        );
    }
    let good = sealed(json!({ "iss": "https://id.example", "aud": "api" }));
    assert_eq!(who(auth().build().unwrap(), &[("next-auth.session-token", &good)]).await, "nobody");
}

/// People who open a page are led to the site that signs in, if it is known where that is.
#[tokio::test]
async fn guards_of_a_verifier() {
    let clock = ManualClock::at(NOW);
    let ask = async |auth: VerifierBuilder| {
        let service = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let app =
            app(AuthLayer::new(auth.build().unwrap()).layer(RequireAuth::signed_in().page().layer(service)));
        let answer = Browser::new(app).get("/reports?year=7").await;
        (answer.status.as_u16(), answer.header("location").map(str::to_owned))
    };
    assert_eq!(ask(verifier(&clock)).await, (401, None));
    let page = "https://app.example/api/auth/signin";
    assert_eq!(ask(verifier(&clock).sign_in_page(page)).await, (401, None), "nowhere to come back to");
    let origin = OriginPolicy::fixed("https://reports.example").unwrap();
    let (status, location) = ask(verifier(&clock).sign_in_page(page).origin(origin)).await;
    assert_eq!(status, 307);
    assert_eq!(
        location.unwrap(),
        "https://app.example/api/auth/signin?callbackUrl=https%3A%2F%2Freports.example%2Freports%3Fyear%3D7"
    );
}

#[test]
fn configurations_that_are_refused() {
    let problems = |builder: VerifierBuilder| builder.build().unwrap_err().problems().count();
    assert!(problems(Auth::verifier(Secret::new("short"))) > 0);
    assert_eq!(problems(Auth::verifier(Secret::new(SECRET)).dialects([])), 1);
    assert_eq!(problems(Auth::verifier(Secret::new(SECRET)).session_cookie("a b")), 1);
}
