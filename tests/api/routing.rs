//! Paths and methods: rows S76 to S78 of `docs/security.md`.

use http::{Method, StatusCode};
use portcullis::Dialect;

use crate::support::{Answer, Browser, DAY, ManualClock, NOW, builder, whoami};

/// Other spellings of `/api/auth/signout` for a router, a proxy or a file system somewhere.
const SPELLINGS: [&str; 26] = [
    "//api/auth/signout",
    "/api//auth/signout",
    "/api/auth//signout",
    "/./api/auth/signout",
    "/api/./auth/signout",
    "/api/auth/./signout",
    "/x/../api/auth/signout",
    "/api/auth/x/../signout",
    "/api/auth/../auth/signout",
    "/api/auth%2fsignout",
    "/api%2Fauth/signout",
    "/api/auth/%73ignout",
    "/%61pi/auth/signout",
    "/api/auth/signout%2f",
    "/api/auth/signout%00",
    "/API/auth/signout",
    "/api/Auth/signout",
    "/api/auth/SignOut",
    "/api/auth/signout.",
    "/api./auth/signout",
    "/api/auth/signout;x=1",
    "/api;x/auth/signout",
    "/api/auth\\signout",
    "/api/auth/signout.json",
    "/api/auth/ſignout",
    "/api/authsignout",
];

async fn post_sign_out(browser: &mut Browser, path: &str, token: &str) -> Option<Answer> {
    let uri: http::Uri = path.parse().ok()?;
    Some(browser.post(&uri.to_string(), &[("csrfToken", token), ("json", "true")]).await)
}

/// Each is either refused by the endpoints or an ordinary path of the service; none signs out.
#[tokio::test]
async fn s76_no_other_spelling_reaches_an_endpoint() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let token = browser.csrf_token().await;
        let mut sent = 0;
        for path in SPELLINGS {
            let Some(answer) = post_sign_out(&mut browser, path, &token).await else { continue };
            sent += 1;
            let ours = path.starts_with("/api/auth/");
            assert_eq!(
                answer.status,
                if ours { StatusCode::BAD_REQUEST } else { StatusCode::OK },
                "{dialect} {path}"
            );
            assert!(answer.cookies().is_empty(), "{dialect} {path}");
            assert_eq!(browser.who().await, "1", "{dialect} {path}");
        }
        assert!(sent > 20, "only {sent} of the paths can be sent");
        post_sign_out(&mut browser, "/api/auth/signout", &token).await;
        assert_eq!(browser.who().await, "nobody", "{dialect}: the path itself");
    }
}

/// Longer paths, which v3 and v4 take for the same action as next-auth does, pass the same checks.
#[tokio::test]
async fn s76_longer_paths_pass_the_same_checks() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let token = browser.csrf_token().await;
        for path in ["/api/auth/signout/", "/api/auth/signout/x", "/api/auth/signout//"] {
            let mut foreign = browser.clone().with_header("sec-fetch-site", "cross-site");
            let answer = post_sign_out(&mut foreign, path, &token).await.unwrap();
            assert_eq!(
                (answer.status, answer.cookies().len()),
                (StatusCode::FORBIDDEN, 0),
                "{dialect} {path}"
            );
            let mut without_token = browser.clone();
            post_sign_out(&mut without_token, path, "").await.unwrap();
            assert_eq!(without_token.who().await, "1", "{dialect} {path}");
        }
    }
}

/// The same behind Axum: under a nest, in the fallback, and for the routes of the application itself.
#[cfg(feature = "axum")]
#[tokio::test]
async fn s76_axum_nests_and_fallbacks() {
    use axum::{Router, routing::get};
    use portcullis::{AuthLayer, OriginPolicy, RequireAuth};

    use crate::support::app;

    let clock = ManualClock::at(NOW);
    let origin = || OriginPolicy::fixed("http://localhost:3000/mount/api/auth").unwrap();
    let inner = |auth| {
        let admin = get(async || "treasure").layer(RequireAuth::role("admin"));
        Router::new().route("/admin", admin).fallback(async || "fallback").layer(AuthLayer::new(auth))
    };
    let nested = Router::new()
        .nest("/mount", inner(builder(&clock).origin(origin()).mounted_at("/mount").build().unwrap()));
    let whole = inner(builder(&clock).build().unwrap());
    for (router, mount) in [(nested, "/mount"), (whole, "")] {
        let mut browser = Browser::new(app(router));
        let token = browser.get(&format!("{mount}/api/auth/csrf")).await.json()["csrfToken"]
            .as_str()
            .unwrap()
            .to_owned();
        let fields = [("csrfToken", &*token), ("username", "jsmith"), ("password", "hunter2")];
        browser.post(&format!("{mount}/api/auth/callback/credentials"), &fields).await;
        let session = format!("{mount}/api/auth/session");
        assert_eq!(browser.get(&session).await.json()["user"]["name"], "J Smith", "{mount}");
        for path in SPELLINGS {
            let path = format!("{mount}{path}");
            let mut foreign = browser.clone().with_header("sec-fetch-site", "cross-site");
            post_sign_out(&mut foreign, &path, &token).await;
            post_sign_out(&mut foreign, &path, "").await;
            // Axum takes the slash after a nest's prefix away: the endpoint sees its own path, and its own rules hold.
            if path != "/mount//api/auth/signout" {
                post_sign_out(&mut browser, &path, &token).await;
            }
            foreign.headers.clear();
            for browser in [&mut browser, &mut foreign] {
                assert_eq!(browser.get(&session).await.json()["user"]["name"], "J Smith", "{path}");
            }
        }
        for path in [
            "/admin",
            "//admin",
            "/admin/",
            "/./admin",
            "/x/../admin",
            "/%61dmin",
            "/ADMIN",
            "/admin.",
            "/admin;x",
            "/admin%2f",
        ] {
            let answer = browser.get(&format!("{mount}{path}")).await;
            assert_ne!(answer.text(), "treasure", "{mount}{path}");
        }
        assert_eq!(browser.get(&format!("{mount}/admin")).await.status, StatusCode::FORBIDDEN);
    }
}

const ACTIONS: [&str; 11] = [
    "signin",
    "signin/credentials",
    "signout",
    "callback/credentials",
    "session",
    "csrf",
    "providers",
    "error",
    "verify-request",
    "_log",
    "nothing",
];

#[tokio::test]
async fn s77_other_methods_do_nothing() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let token = browser.csrf_token().await;
        clock.advance(2 * DAY);
        let form = format!("csrfToken={token}&username=admin&password=hunter2");
        for method in ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO", "post", "get"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for action in ACTIONS {
                let uri = format!("/api/auth/{action}");
                let answer = browser
                    .send(
                        method.clone(),
                        &uri,
                        Some("application/x-www-form-urlencoded"),
                        form.clone().into(),
                    )
                    .await;
                let about = format!("{dialect} {method} {action}");
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{about}");
                assert!(answer.cookies().is_empty(), "{about}");
                assert!(answer.header("allow").is_none(), "{about}: what there is, is not told");
            }
        }
        assert_eq!(browser.who().await, "1", "{dialect}");
    }
}

#[tokio::test]
async fn s77_methods_are_not_overridden() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let token = browser.csrf_token().await;
        for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let mut overriding = browser.clone().with_header(header, "POST");
            overriding.get(&format!("/api/auth/signout?_method=POST&csrfToken={token}")).await;
            assert_eq!(overriding.who().await, "1", "{dialect} {header}");
            let mut overriding = browser.clone().with_header(header, "GET");
            overriding
                .post("/api/auth/signout?_method=GET", &[("csrfToken", &token), ("_method", "GET")])
                .await;
            assert_eq!(overriding.who().await, "nobody", "{dialect} {header}: a post stays one");
        }
    }
}

/// Neither preflights nor requests nor the guarded service are ever told that another origin may read them.
#[tokio::test]
async fn s78_no_answer_allows_another_origin() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let paths = ACTIONS.iter().map(|action| format!("/api/auth/{action}")).chain(["/".to_owned()]);
        for path in paths {
            for origin in
                ["https://evil.example", "null", crate::support::ORIGIN, "http://evil.localhost:3000"]
            {
                for method in [Method::OPTIONS, Method::GET, Method::POST] {
                    let mut foreign = browser
                        .clone()
                        .with_header("origin", origin)
                        .with_header("access-control-request-method", "POST")
                        .with_header("access-control-request-headers", "content-type, x-csrf");
                    let answer = foreign.send(method.clone(), &path, None, Default::default()).await;
                    let cors: Vec<_> = answer
                        .headers
                        .keys()
                        .filter(|name| name.as_str().starts_with("access-control-"))
                        .collect();
                    assert!(cors.is_empty(), "{dialect} {method} {path} from {origin}: {cors:?}");
                }
            }
        }
    }
}
