//! Cookies and caching: rows S1 to S7 of `docs/security.md`.

use std::convert::Infallible;

use bytes::Bytes;
use cookie::{Cookie, SameSite};
use http::{Method, Request, Response, header};
use http_body_util::Full;
use portcullis::{
    AuthBuilder, AuthLayer, Claims, Dialect, JwtContext, OriginPolicy, get_raw_token, get_server_session,
    get_token,
};
use tower::{Layer, service_fn};

use crate::support::{Answer, App, Browser, DAY, ManualClock, NOW, app, builder, whoami};

const HTTPS: &str = "https://app.example";

/// What a dialect calls its cookies at a scheme.
struct Names {
    session: String,
    callback: String,
    csrf: String,
}

fn names(dialect: Dialect, https: bool) -> Names {
    let stem = if dialect == Dialect::V5 { "authjs" } else { "next-auth" };
    let (secure, host) = if https { ("__Secure-", "__Host-") } else { ("", "") };
    Names {
        session: format!("{secure}{stem}.session-token"),
        callback: format!("{secure}{stem}.callback-url"),
        csrf: format!("{host}{stem}.csrf-token"),
    }
}

fn site(clock: &ManualClock, dialect: Dialect, https: bool) -> AuthBuilder {
    let origin = if https { HTTPS } else { crate::support::ORIGIN };
    builder(clock).dialect(dialect).origin(OriginPolicy::fixed(origin).unwrap())
}

/// Each dialect at each scheme.
fn sites() -> impl Iterator<Item = (Dialect, bool)> {
    Dialect::ALL.into_iter().flat_map(|dialect| [(dialect, false), (dialect, true)])
}

/// The token gets as large as the update says.
async fn grow(
    JwtContext { mut token, session, .. }: JwtContext,
) -> Result<Option<Claims>, portcullis::BoxError> {
    if let Some(size) = session.and_then(|data| data.get("size")?.as_u64()) {
        token.insert("padding", "x".repeat(size as usize));
    }
    Ok(Some(token))
}

async fn update(browser: &mut Browser, size: usize) -> Answer {
    let token = browser.csrf_token().await;
    let body = serde_json::json!({ "csrfToken": token, "data": { "size": size } }).to_string();
    browser.send(Method::POST, "/api/auth/session", Some("application/json"), body.into()).await
}

/// Every `Set-Cookie` of every endpoint, of a renewal and of a token in pieces.
async fn tour(dialect: Dialect, https: bool) -> Vec<Cookie<'static>> {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(site(&clock, dialect, https).on_jwt(grow).build().unwrap()));
    let mut cookies = Vec::new();
    for action in ["csrf", "providers", "session", "signin", "signout", "error", "verify-request", "nothing"]
    {
        let uri = format!("/api/auth/{action}?callbackUrl=/{action}");
        cookies.extend(
            Browser::new(whoami(site(&clock, dialect, https).build().unwrap())).get(&uri).await.cookies(),
        );
        cookies.extend(browser.get(&uri).await.cookies());
        cookies.extend(browser.post(&uri, &[]).await.cookies());
    }
    for (username, password) in [("jsmith", "wrong"), ("boom", ""), ("jsmith", "hunter2")] {
        cookies.extend(browser.sign_in(username, password).await.cookies());
    }
    for size in [9000, 10] {
        cookies.extend(update(&mut browser, size).await.cookies());
    }
    cookies.extend(browser.get("/api/auth/session").await.cookies());
    clock.advance(2 * DAY);
    cookies.extend(browser.get("/").await.cookies());
    cookies.extend(browser.sign_out().await.cookies());
    let mut stranger = browser.clone().with_cookie(&names(dialect, https).session, "rubbish");
    cookies.extend(stranger.get("/api/auth/session").await.cookies());
    cookies
}

#[tokio::test]
async fn s01_names_and_attributes_of_every_cookie() {
    for (dialect, https) in sites() {
        let names = names(dialect, https);
        let cookies = tour(dialect, https).await;
        for cookie in &cookies {
            let about = format!("{dialect}, https {https}: {}", cookie.name());
            let chunk = cookie.name().strip_prefix(&*names.session).is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix('.').is_some_and(|number| number.parse::<u8>().is_ok())
            });
            assert!(chunk || [&*names.callback, &*names.csrf].contains(&cookie.name()), "{about}");
            assert_eq!(cookie.secure().unwrap_or(false), https, "{about}");
            assert_eq!(cookie.http_only(), Some(true), "{about}");
            assert_eq!(cookie.same_site(), Some(SameSite::Lax), "{about}");
            assert_eq!((cookie.path(), cookie.domain()), (Some("/"), None), "{about}");
        }
        let chunk = format!("{}.0", names.session);
        let chunk = if dialect == Dialect::V3 { &names.session } else { &chunk };
        for name in [&names.session, &names.callback, &names.csrf, chunk] {
            assert!(cookies.iter().any(|cookie| cookie.name() == name), "{dialect}: {name} was never seen");
        }
        assert!(cookies.iter().any(|cookie| cookie.value().is_empty()), "{dialect}: no removal was seen");
    }
}

#[tokio::test]
async fn s02_only_the_name_of_the_scheme_is_read() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut signed_in = Vec::new();
        for (https, user) in [(false, "jsmith"), (true, "admin")] {
            let mut browser = Browser::new(whoami(site(&clock, dialect, https).build().unwrap()));
            browser.sign_in(user, "hunter2").await;
            let name = names(dialect, https).session;
            signed_in.push((name.clone(), browser.jar[&name].clone()));
        }
        let (plain, secure) = (&signed_in[0], &signed_in[1]);
        for (https, cookies, who) in [
            (true, &[plain, secure][..], "2"),
            (true, &[secure, plain], "2"),
            (true, &[plain], "nobody"),
            (false, &[plain, secure], "1"),
            (false, &[secure, plain], "1"),
            (false, &[secure], "nobody"),
        ] {
            let line: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut browser = Browser::new(whoami(site(&clock, dialect, https).build().unwrap()))
                .with_header("cookie", &line.join("; "));
            assert_eq!(browser.who().await, who, "{dialect}, https {https}, {} cookies", cookies.len());
        }
    }
}

/// One cookie that verifies wins in either order; two that name different people are nobody; two halves are
/// never made one.
#[tokio::test]
async fn s03_duplicates_fix_no_session() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let name = names(dialect, false).session;
        let app = whoami(site(&clock, dialect, false).build().unwrap());
        let mut tokens = Vec::new();
        for user in ["jsmith", "jsmith", "admin"] {
            let mut browser = Browser::new(app.clone());
            browser.sign_in(user, "hunter2").await;
            tokens.push(browser.jar[&name].clone());
        }
        let [victim, again, attacker] =
            [&tokens[0], &tokens[1], &tokens[2]].map(|token| format!("{name}={token}"));
        let junk = format!("{name}=evil");
        let half = tokens[0].len() / 2;
        let (head, tail) = tokens[0].split_at(half);
        for (cookies, who) in [
            (format!("{junk}; {victim}"), "1"),
            (format!("{victim}; {junk}"), "1"),
            (format!("{victim}; {again}"), "1"),
            (format!("{victim}; {attacker}"), "nobody"),
            (format!("{attacker}; {victim}"), "nobody"),
            (format!("{victim}; {name}.0={}", tokens[2]), "nobody"),
            (format!("{name}={head}; {name}={tail}"), "nobody"),
            (format!("{name}={head}; {name}.0={tail}"), "nobody"),
        ] {
            let mut browser = Browser::new(app.clone()).with_header("cookie", &cookies);
            assert_eq!(browser.who().await, who, "{dialect}: {cookies}");
        }
    }
}

#[tokio::test]
async fn s04_a_smaller_token_removes_the_chunks_of_the_larger_one() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let name = names(dialect, false).session;
        let mut browser = Browser::new(whoami(site(&clock, dialect, false).on_jwt(grow).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let held = |browser: &Browser| {
            browser
                .jar
                .keys()
                .filter(|key| key.starts_with(&name))
                .map(|key| key[name.len()..].to_owned())
                .collect::<Vec<_>>()
        };
        for (size, suffixes) in [(9000, &[".0", ".1", ".2", ".3"][..]), (3500, &[".0", ".1"]), (10, &[""])] {
            update(&mut browser, size).await;
            assert_eq!(held(&browser), suffixes, "{dialect}, {size}");
            assert_eq!(browser.who().await, "1", "{dialect}, {size}");
        }
    }
}

/// Names that merely begin like the session's neither join it nor disturb it.
#[tokio::test]
async fn s04_only_whole_chains_of_exact_names() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let name = names(dialect, false).session;
        let app = whoami(site(&clock, dialect, false).build().unwrap());
        let mut browser = Browser::new(app.clone());
        browser.sign_in("jsmith", "hunter2").await;
        let token = browser.jar[&name].clone();
        let (head, tail) = token.split_at(100);
        let many: Vec<_> = (0..10_000).map(|number| format!("{name}.{number}=x")).collect();
        let many = many.join("; ");
        for (cookies, who) in [
            (format!("{name}.0={head}; {name}.1={tail}"), "1"),
            (format!("{name}.1={tail}; {name}.0={head}"), "1"),
            (format!("{name}.0={head}; {name}.2={tail}"), "nobody"),
            (format!("{name}.1={token}"), "nobody"),
            (format!("{name}.0={head}; {name}.01={tail}"), "nobody"),
            (format!("{name}.0={head}; {name}.1e0={tail}"), "nobody"),
            (format!("{name}.00={token}"), "nobody"),
            (format!("{name}.99999999999={token}"), "nobody"),
            (format!("{name}-other={token}"), "nobody"),
            (format!("{name}.0={token}; {name}.99999999999=x; {name}-other=x"), "1"),
            (format!("{name}={token}; {name}X=x"), "1"),
            (format!("{name}X=x; {name}={token}; {name}.7=stale"), "1"),
            (many.clone(), "nobody"),
            (format!("{many}; {name}={token}"), "1"),
        ] {
            let mut browser = Browser::new(app.clone()).with_header("cookie", &cookies);
            assert_eq!(browser.who().await, who, "{dialect}: {}", &cookies[..cookies.len().min(300)]);
        }
    }
}

/// What a handler asks about the user of a request.
type Ask = fn(&Request<Full<Bytes>>);

/// A handler that says what it likes about caching, sets a cookie, and asks what `ask` asks.
fn cacheable(auth: portcullis::Auth, ask: Ask) -> App {
    app(AuthLayer::new(auth).layer(service_fn(move |request: Request<Full<Bytes>>| {
        ask(&request);
        let response = Response::builder()
            .header(header::CACHE_CONTROL, "public, max-age=60")
            .header(header::EXPIRES, "Thu, 01 Jan 2099 00:00:00 GMT")
            .header(header::VARY, "accept-encoding")
            .header(header::SET_COOKIE, "theme=dark");
        std::future::ready(Ok::<_, Infallible>(response.body(Full::new(Bytes::new())).unwrap()))
    })))
}

#[tokio::test]
async fn s06_a_response_with_our_cookies_is_never_cacheable() {
    for (dialect, https) in sites() {
        let clock = ManualClock::at(NOW);
        let name = names(dialect, https).session;
        let mut browser = Browser::new(cacheable(site(&clock, dialect, https).build().unwrap(), |_| {}));
        browser.sign_in("jsmith", "hunter2").await;
        assert_eq!(browser.get("/").await.header("cache-control"), Some("public, max-age=60"));
        clock.advance(2 * DAY);
        let renewed = browser.get("/").await;
        assert!(renewed.cookie(&name).is_some_and(|cookie| !cookie.value().is_empty()), "{dialect}");
        assert_eq!(renewed.cookie("theme").unwrap().value(), "dark", "the handler's own cookie stays");
        let cache: Vec<_> = renewed.headers.get_all(header::CACHE_CONTROL).iter().collect();
        assert_eq!(cache, ["private, no-cache, no-store"], "{dialect}");
        assert_eq!(renewed.header("expires"), Some("0"));
    }
}

/// So is every answer of an endpoint, with or without cookies.
#[tokio::test]
async fn s06_no_endpoint_is_cacheable() {
    for (dialect, https) in sites() {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(site(&clock, dialect, https).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        for action in
            ["csrf", "providers", "session", "signin", "signout", "error", "verify-request", "_log", "x"]
        {
            let uri = format!("/api/auth/{action}");
            for answer in [browser.get(&uri).await, browser.post(&uri, &[]).await] {
                let cache = answer.header("cache-control").unwrap_or_default();
                assert!(
                    cache.contains("no-store") && cache.contains("private"),
                    "{dialect} {action}: {cache}"
                );
            }
        }
    }
}

#[tokio::test]
async fn s07_a_response_varies_by_what_was_asked() {
    let clock = ManualClock::at(NOW);
    let cases: [(Ask, &[&str]); 3] = [
        (|_| {}, &["accept-encoding"]),
        (|request| drop(get_server_session(request)), &["accept-encoding", "cookie"]),
        (|request| drop(get_token::<Claims>(request)), &["accept-encoding", "cookie", "authorization"]),
    ];
    for (ask, expected) in cases {
        let mut browser = Browser::new(cacheable(builder(&clock).build().unwrap(), ask));
        let vary = |answer: &Answer| {
            let lines = answer.headers.get_all(header::VARY).iter();
            let names = lines.flat_map(|line| line.to_str().unwrap().split(", "));
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(vary(&browser.get("/").await), expected, "anonymous");
        // A token in the cookie is the answer; only what `Authorization` could change varies by it.
        browser.sign_in("jsmith", "hunter2").await;
        assert_eq!(vary(&browser.get("/").await), expected[..expected.len().min(2)], "signed in");
        let mut broken = browser.clone().with_cookie("next-auth.session-token", "rubbish");
        assert_eq!(vary(&broken.get("/").await), expected, "a broken cookie");
    }
    // What was sent is the cookie, whether it opens or not.
    let mut browser =
        Browser::new(cacheable(builder(&clock).build().unwrap(), |request| drop(get_raw_token(request))));
    assert!(browser.get("/").await.header("vary").is_some());
    browser.sign_in("jsmith", "hunter2").await;
    let answer = browser.get("/").await;
    assert!(answer.headers.get_all(header::VARY).iter().any(|line| line == "cookie"), "signed in");
}
