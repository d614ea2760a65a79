//! Hostile input: rows S41 to S43, S84, S95 and S96 of `docs/security.md`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use portcullis::{
    BoxError, Dialect, OriginPolicy, PeerAddr, Session, SessionContext, SignInContext, SignInDecision,
};
use proptest::prelude::*;
use url::Url;

use crate::support::{Answer, Browser, ManualClock, NOW, builder, whoami};

const SITE: &str = "https://app.example";

fn site(dialect: Dialect) -> Browser {
    let origin = OriginPolicy::fixed(SITE).unwrap();
    Browser::new(whoami(builder(&ManualClock::at(NOW)).origin(origin).dialect(dialect).build().unwrap()))
}

fn callback_cookie(dialect: Dialect) -> String {
    format!("__Secure-{}.callback-url", if dialect == Dialect::V5 { "authjs" } else { "next-auth" })
}

/// Every URL of an answer that a browser or a client follows or keeps.
fn targets(answer: &Answer) -> Vec<String> {
    let mut targets: Vec<String> = answer.header("location").map(str::to_owned).into_iter().collect();
    if let Ok(serde_json::Value::Object(json)) = serde_json::from_slice(&answer.body) {
        targets.extend(json.get("url").and_then(|url| url.as_str()).map(str::to_owned));
    }
    let kept = answer.cookies().into_iter().filter(|cookie| cookie.name().ends_with("callback-url"));
    targets.extend(kept.map(|cookie| {
        percent_encoding::percent_decode_str(cookie.value()).decode_utf8().unwrap().into_owned()
    }));
    targets.extend(hidden_callback().captures(&answer.text()).map(|found| found[1].replace("&amp;", "&")));
    targets
}

fn hidden_callback() -> regex::Regex {
    regex::Regex::new("name=\"callbackUrl\" value=\"([^\"]*)\"").unwrap()
}

fn assert_stays_here(answer: &Answer, about: &str) {
    let page = Url::parse(&format!("{SITE}/api/auth/signin")).unwrap();
    for target in targets(answer) {
        let url = page.join(&target).unwrap_or_else(|error| panic!("{about}: {target}: {error}"));
        assert_eq!(url.origin().ascii_serialization(), SITE, "{about}: {target}");
    }
}

fn redirect_corpus() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https:\\\\evil.example",
        "http://evil.example",
        "HTTPS://EVIL.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/x",
        "https://app.example@evil.example",
        "https://app.example:x@evil.example",
        "https://evil.example/https://app.example",
        "https://app.example.evil.example",
        "https://evil.example#app.example",
        "https://evil.example?app.example",
        "https://evil.example\\@app.example",
        "https://app.example:444",
        "http://app.example",
        "https://app.example%2eevil.example",
        "https://app。example.evil.example",
        "https://аpp.example",
        "https://xn--pp-6kc.example",
        "https://[::1]/",
        "https://0x7f000001",
        "//app.example@evil.example",
        "/x\0y",
        "https://app.example\0.evil.example",
        "/x\r\nSet-Cookie: a=b",
        "/x\r\nLocation: https://evil.example",
        "https://app.example\r\n.evil.example",
        "%2f%2fevil.example",
        "%68ttps://evil.example",
        "",
        " ",
        "?",
        "#",
        "\u{202e}//evil",
        "https://",
        "https://%",
        "::",
        "//",
        "///",
        "/",
        "/ok?x=1#y",
        "https://app.example/ok",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    corpus.push(format!("https://evil.example/{}", "x".repeat(100_000)));
    corpus.push(format!("/{}", "x".repeat(100_000)));
    corpus
}

#[tokio::test]
async fn s41_no_target_leaves_the_origin() {
    for dialect in Dialect::ALL {
        let mut seen = 0;
        for target in redirect_corpus() {
            let about = format!("{dialect}: {:?}", target.chars().take(60).collect::<String>());
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("callbackUrl", &target).finish();
            let query =
                if query.len() > 60_000 { "callbackUrl=%2F%2Fevil.example".to_owned() } else { query };
            for action in
                ["signin", "signout", "csrf", "session", "error", "verify-request", "callback/credentials"]
            {
                let answer = site(dialect).get(&format!("/api/auth/{action}?{query}")).await;
                assert_stays_here(&answer, &about);
                seen += targets(&answer).len();
            }
            for json in ["true", "false"] {
                let mut browser = site(dialect);
                let token = browser.csrf_token().await;
                let fields = [
                    ("csrfToken", &*token),
                    ("username", "jsmith"),
                    ("password", "hunter2"),
                    ("callbackUrl", &*target),
                    ("json", json),
                ];
                for action in ["callback/credentials", "signin/credentials", "signin", "signout"] {
                    let answer = browser.clone().post(&format!("/api/auth/{action}"), &fields).await;
                    assert_stays_here(&answer, &format!("{about} to {action}"));
                    seen += targets(&answer).len();
                }
            }
        }
        assert!(seen > 500, "only {seen} targets were looked at");
    }
}

/// The cookie may have been set by anybody: it is judged again when it is read.
#[tokio::test]
async fn s41_the_kept_target_is_judged_again() {
    for dialect in Dialect::ALL {
        for target in redirect_corpus().into_iter().filter(|target| target.len() < 5000) {
            let encoded = percent_encoding::utf8_percent_encode(&target, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
            let mut browser = site(dialect);
            let token = browser.csrf_token().await;
            let mut browser = browser.with_cookie(&callback_cookie(dialect), &encoded);
            for answer in [
                browser.clone().get("/api/auth/signin").await,
                browser.clone().post("/api/auth/signout", &[("csrfToken", &token)]).await,
                browser
                    .post(
                        "/api/auth/callback/credentials",
                        &[("csrfToken", &token), ("username", "jsmith"), ("password", "hunter2")],
                    )
                    .await,
            ] {
                assert!(!targets(&answer).is_empty() || answer.status == 200, "{dialect}: {target:?}");
                assert_stays_here(&answer, &format!("{dialect}: {target:?}"));
            }
        }
    }
}

/// What `/providers` takes for this site's address, or the status of the refusal.
async fn address(
    policy: &OriginPolicy,
    headers: &[(&str, &str)],
    peer: Option<[u8; 4]>,
) -> Result<String, u16> {
    let auth = builder(&ManualClock::at(NOW)).origin(policy.clone()).build().unwrap();
    let mut request = Request::builder().uri("/api/auth/providers").body(Full::<Bytes>::default()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    if let Some(peer) = peer {
        request.extensions_mut().insert(PeerAddr(peer.into()));
    }
    let answer = Browser::new(whoami(auth)).request(request).await;
    match answer.status {
        StatusCode::OK => {
            let url = answer.json()["credentials"]["signinUrl"].as_str().unwrap().to_owned();
            Ok(url.strip_suffix("/api/auth/signin/credentials").unwrap().to_owned())
        }
        refused => Err(refused.as_u16()),
    }
}

#[tokio::test]
async fn s42_a_request_does_not_say_where_it_is() {
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("x-forwarded-server", "evil.example"),
        ("x-original-host", "evil.example"),
    ];
    let fixed = OriginPolicy::fixed(SITE).unwrap();
    assert_eq!(address(&fixed, &evil, None).await.unwrap(), SITE);
    let default = OriginPolicy::from_variables(|_| None).unwrap();
    assert_eq!(address(&default, &evil, None).await.unwrap(), "http://localhost:3000", "nothing configured");

    let list = OriginPolicy::allow_list([SITE, "https://app.example.org"]).unwrap();
    for (host, expected) in [
        ("app.example", Ok(SITE)),
        ("APP.example.org", Ok("https://app.example.org")),
        ("evil.example", Err(400)),
        ("app.example.evil.example", Err(400)),
        ("app.example:444", Err(400)),
        ("app.example, evil.example", Err(400)),
        ("", Err(400)),
    ] {
        let found = address(&list, &[("host", host), ("x-forwarded-host", "app.example")], None).await;
        assert_eq!(found.as_deref().map_err(|status| *status), expected, "{host}");
    }
    assert_eq!(address(&list, &[("host", "app.example"), ("host", "evil.example")], None).await, Err(400));
}

#[tokio::test]
async fn s42_forwarded_headers_of_the_listed_proxy_only() {
    let proxy = [10, 0, 0, 1];
    let policy = OriginPolicy::forwarded([proxy.into()]);
    let good = [("x-forwarded-host", "app.example"), ("x-forwarded-proto", "https")];
    assert_eq!(address(&policy, &good, Some(proxy)).await.unwrap(), SITE);
    assert_eq!(address(&policy, &good, Some([10, 0, 0, 2])).await, Err(400), "another peer");
    assert_eq!(address(&policy, &good, None).await, Err(400), "no peer");
    for spoilt in [
        &[("x-forwarded-host", "app.example, evil.example")][..],
        &[("x-forwarded-host", "app.example"), ("x-forwarded-host", "evil.example")],
        &[("x-forwarded-host", "app.example"), ("x-forwarded-proto", "https, http")],
        &[("x-forwarded-host", "user@app.example")],
        &[("x-forwarded-host", "app.example/evil")],
        &[("x-forwarded-host", "")],
        &[],
    ] {
        assert_eq!(address(&policy, spoilt, Some(proxy)).await, Err(400), "{spoilt:?}");
    }
}

const FIELDS: [&str; 14] = [
    "callbackUrl",
    "csrfToken",
    "error",
    "username",
    "password",
    "json",
    "code",
    "state",
    "provider",
    "email",
    "token",
    "data",
    "level",
    "redirect",
];

/// Fields with odd names and values; `qz9` marks what was sent.
fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![2 => Just("callbackUrl".to_owned()), 4 => prop::sample::select(&FIELDS[..]).prop_map(str::to_owned), 1 => "\\PC{0,12}"];
    let value = prop_oneof![
        1 => Just("<qz9>".to_owned()),
        1 => Just("\"><qz9 onload=x>".to_owned()),
        2 => Just("/\"><qz9 onload=x>".to_owned()),
        1 => Just("javascript:qz9".to_owned()),
        1 => Just("Configuration".to_owned()),
        1 => Just("AccessDenied".to_owned()),
        1 => Just("//qz9.example".to_owned()),
        1 => Just("true".to_owned()),
        1 => "[/\\\\:?#&=%a-z.\\r\\n\\t\"'<>]{0,30}qz9",
        1 => "\\PC{0,20}",
        1 => any::<String>(),
    ];
    prop::collection::vec((name, value), 0..6)
}

const ENDPOINTS: [&str; 14] = [
    "",
    "signin",
    "signin/credentials",
    "signin/qz9",
    "signout",
    "callback",
    "callback/credentials",
    "callback/qz9",
    "session",
    "csrf",
    "providers",
    "error",
    "verify-request",
    "_log",
];

fn encode(fields: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The documented answers; 500 is that of the error page for `Configuration`.
fn is_documented(status: StatusCode, action: &str, query: &[(String, String)]) -> bool {
    match status.as_u16() {
        200 | 302 | 400 | 401 | 403 | 405 => true,
        500 => {
            action == "error"
                && query
                    .iter()
                    .any(|(name, value)| name == "error" && value.eq_ignore_ascii_case("Configuration"))
        }
        _ => false,
    }
}

/// HTML and plain text show nothing of what was sent, but for the target in its hidden field, escaped.
fn echoes(answer: &Answer) -> bool {
    let html = answer.header("content-type").is_some_and(|kind| !kind.starts_with("application/json"));
    html && hidden_callback().replace_all(&answer.text(), "").contains("qz9")
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any fields at any endpoint: a documented status, no word of them in the answer, and the browser stays here.
    #[test]
    fn s43_any_fields_at_any_endpoint(
        action in prop::sample::select(&ENDPOINTS[..]), dialect in prop::sample::select(&Dialect::ALL[..]),
        query in fields(), form in fields(), verified in any::<bool>(), as_json in any::<bool>(),
    ) {
        block_on(async {
            let mut browser = site(dialect);
            let mut form = form;
            if verified {
                form.retain(|(name, _)| name != "csrfToken");
                form.push(("csrfToken".to_owned(), browser.csrf_token().await));
            }
            let uri = format!("/api/auth/{action}?{}", encode(&query));
            let body = if as_json {
                let members: serde_json::Map<_, _> = form.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
                serde_json::Value::Object(members).to_string()
            } else {
                encode(&form)
            };
            let kind = if as_json { "application/json" } else { "application/x-www-form-urlencoded" };
            let got = browser.clone().get(&uri).await;
            let posted = browser.send(Method::POST, &uri, Some(kind), body.into()).await;
            for answer in [got, posted] {
                assert!(is_documented(answer.status, action, &query), "{}", answer.status);
                assert!(!echoes(&answer), "{}", answer.text());
                assert_stays_here(&answer, action);
            }
        });
    }

    /// S95: any bytes in any header, any method, any body.
    #[test]
    fn s95_any_request(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "HEAD", "OPTIONS", "X"]),
        path in "(/|/api/auth|/api/auth/)[!-~&&[^#?<>\"\\\\^`{|}]]{0,20}",
        headers in prop::collection::vec((prop::sample::select(&HEADERS[..]), header_value()), 0..6),
        body in prop::collection::vec(any::<u8>(), 0..200),
        dialect in prop::sample::select(&Dialect::ALL[..]),
    ) {
        let Ok(uri) = path.parse::<http::Uri>() else { return Ok(()) };
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(Bytes::from(body))).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(name, value);
        }
        let answer = block_on(site(dialect).request(request));
        prop_assert!(answer.status.as_u16() < 500, "{}", answer.status);
    }
}

const HEADERS: [&str; 14] = [
    "cookie",
    "authorization",
    "host",
    "origin",
    "referer",
    "content-type",
    "content-length",
    "accept",
    "sec-fetch-site",
    "sec-fetch-mode",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-auth-return-redirect",
    "user-agent",
];

fn header_value() -> impl Strategy<Value = HeaderValue> {
    let odd = prop::collection::vec(prop_oneof![Just(b'\t'), 0x20u8..0x7f, 0x80u8..=0xff], 0..60);
    let like_ours = "(__Secure-next-auth\\.session-token(\\.[0-9]{1,3})?=[a-zA-Z0-9._%-]{0,40}; ?){1,4}"
        .prop_map(String::into_bytes);
    let bearer = "Bearer [ -~]{0,40}".prop_map(String::into_bytes);
    prop_oneof![odd, like_ours, bearer].prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

/// Says what `get_token`, `get_raw_token` and the guard make of a request: nothing, never an error.
#[tokio::test]
async fn s95_hostile_headers_are_nobody() {
    let long = "x".repeat(1_000_000);
    let long_bearer = format!("Bearer {long}");
    let dots = format!("Bearer {}", ".".repeat(1000));
    let authorizations: [&[u8]; 16] = [
        b"Bearer %",
        b"Bearer %zz",
        b"Bearer %%%",
        b"Bearer %00",
        b"Bearer %ff%fe",
        b"Bearer ",
        b"Bearer",
        b"bearer x",
        b"",
        b"Bearer \xff\xfe",
        b"\xff",
        b"Basic dTpw",
        b"Bearer a.b.c.d.e",
        b"Bearer eyJ.eyJ.",
        long_bearer.as_bytes(),
        dots.as_bytes(),
    ];
    let long_cookie = format!("__Secure-next-auth.session-token={long}");
    let cookies: [&[u8]; 8] = [
        b"\xff=\xfe",
        b"__Secure-next-auth.session-token=\xff",
        b"__Secure-next-auth.session-token=%",
        b"=",
        b";;;",
        b"a",
        b"__Secure-next-auth.session-token=\"",
        long_cookie.as_bytes(),
    ];
    for dialect in [Dialect::V4, Dialect::V5] {
        let sent = authorizations.iter().map(|value| (header::AUTHORIZATION, value));
        for (name, value) in sent.chain(cookies.iter().map(|value| (header::COOKIE, value))) {
            let about =
                format!("{dialect} {name}: {:?}", String::from_utf8_lossy(&value[..value.len().min(60)]));
            let mut request = Request::builder().uri("/").body(Full::default()).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_bytes(value).unwrap());
            let guarded = guarded(dialect);
            let answer = Browser::new(guarded).request(request.clone()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{about}");
            let answer = site(dialect).request(request.clone()).await;
            assert_eq!(answer.text(), "nobody", "{about}");
            *request.uri_mut() = "/api/auth/session".parse().unwrap();
            assert_eq!(site(dialect).request(request).await.status, StatusCode::OK, "{about}");
        }
    }
}

fn guarded(dialect: Dialect) -> crate::support::App {
    use tower::Layer;
    let origin = OriginPolicy::fixed(SITE).unwrap();
    let auth = builder(&ManualClock::at(NOW)).origin(origin).dialect(dialect).build().unwrap();
    let inner = tower::service_fn(async |request: Request<Full<Bytes>>| {
        let _ = portcullis::get_raw_token(&request).unwrap();
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    crate::support::app(
        portcullis::AuthLayer::new(auth).layer(portcullis::RequireAuth::signed_in().layer(inner)),
    )
}

/// A body of exactly the limit is read, one byte more is not, whatever the length header says.
#[tokio::test]
async fn s96_bodies_are_bounded() {
    const LIMIT: usize = 4000;
    for dialect in Dialect::ALL {
        let auth = builder(&ManualClock::at(NOW)).dialect(dialect).body_limit(LIMIT).build().unwrap();
        let mut browser = Browser::new(whoami(auth));
        let token = browser.csrf_token().await;
        for (length, declared, status) in [
            (LIMIT, None, 200),
            (LIMIT + 1, None, 413),
            (LIMIT * 100, None, 413),
            (LIMIT + 1, Some("10"), 413),
        ] {
            let mut body = format!("csrfToken={token}&username=jsmith&password=hunter2&json=true&x=");
            body.push_str(&"x".repeat(length - body.len()));
            let mut browser = browser.clone();
            browser.headers.extend(
                declared.map(|length| (header::CONTENT_LENGTH, length.parse::<HeaderValue>().unwrap())),
            );
            let form = Some("application/x-www-form-urlencoded");
            let answer =
                browser.send(Method::POST, "/api/auth/callback/credentials", form, body.into()).await;
            assert_eq!(answer.status.as_u16(), status, "{dialect}: {length}");
            let who = if status == 200 { "1" } else { "nobody" };
            browser.headers = HeaderMap::new();
            assert_eq!(browser.who().await, who, "{dialect}: {length}");
        }
    }
}

/// One field more than there may be is an invalid body; a value that nobody asks for is not taken apart, however
/// deep it is.
#[tokio::test]
async fn s96_fields_are_bounded_and_depth_does_no_harm() {
    for dialect in Dialect::ALL {
        let mut browser = site(dialect);
        let token = browser.csrf_token().await;
        let own = format!("csrfToken={token}&username=jsmith&password=hunter2");
        let padded = |count: usize| format!("{own}{}", "&x=1".repeat(count - 3));
        let deep = format!(r#"{{"csrfToken":"{token}","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        for (kind, body, refused) in [
            ("application/x-www-form-urlencoded", padded(4096), false),
            ("application/x-www-form-urlencoded", padded(4097), true),
            ("application/json", deep, false),
        ] {
            let answer = browser
                .clone()
                .send(Method::POST, "/api/auth/callback/credentials", Some(kind), body.into())
                .await;
            assert_eq!(
                answer.status == StatusCode::BAD_REQUEST,
                refused,
                "{dialect} {kind}: {}",
                answer.status
            );
        }
    }
}

/// Ten thousand session cookies are no session and no error, whatever they are called.
#[tokio::test]
async fn s96_cookies_are_bounded() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let name = callback_cookie(dialect).replace("callback-url", "session-token");
        for line in [
            (0..10_000).map(|number| format!("{name}.{number}=x")).collect::<Vec<_>>(),
            (0..10_000).map(|number| format!("{name}=x{number}")).collect(),
            (0..10_000).map(|number| format!("{name}{number}=x")).collect(),
        ] {
            let line = line.join("; ");
            assert_eq!(site(dialect).with_header("cookie", &line).who().await, "nobody", "{dialect}");
            let answer = site(dialect).with_header("cookie", &line).get("/api/auth/session").await;
            assert_eq!(answer.status, StatusCode::OK, "{dialect}");
            assert!(
                answer.cookies().len() < 50,
                "{dialect}: {} cookies in the answer",
                answer.cookies().len()
            );
        }
    }
}

const CAUSE: &str = "postgres://app:pa55@db.internal";

/// Whatever fails, the client learns a code of the fixed set and nothing of the cause.
#[tokio::test]
async fn s84_causes_stay_inside() {
    async fn no_sign_in(_: SignInContext) -> Result<SignInDecision, BoxError> {
        Err(CAUSE.into())
    }
    async fn no_session(_: SessionContext) -> Result<Session, BoxError> {
        Err(CAUSE.into())
    }
    for dialect in Dialect::ALL {
        let plain = || builder(&ManualClock::at(NOW)).dialect(dialect);
        let fails: [(portcullis::AuthBuilder, &str, &str); 5] = [
            (plain(), "boom", "Configuration"),
            (plain(), "panic", "Configuration"),
            (plain(), "hang", "Configuration"),
            (plain().on_sign_in(no_sign_in), "jsmith", "AccessDenied"),
            (plain().on_jwt(async |_| Err(CAUSE.into())), "jsmith", "Configuration"),
        ];
        for (builder, user, code) in fails {
            let answer = Browser::new(whoami(builder.build().unwrap())).sign_in(user, "hunter2").await;
            let url = answer.json()["url"].as_str().unwrap().to_owned();
            let query = url.split_once('?').unwrap().1;
            assert_eq!(query, format!("error={code}"), "{dialect} {user}");
            let everything = format!("{:?}{}", answer.headers, answer.text());
            for cause in [CAUSE, "internal failure", "authorize panics"] {
                assert!(!everything.contains(cause), "{dialect} {user}: {everything}");
            }
        }
        let mut browser = Browser::new(whoami(plain().on_session(no_session).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        for answer in [browser.get("/").await, browser.get("/api/auth/session").await] {
            assert!(!format!("{:?}{}", answer.headers, answer.text()).contains(CAUSE), "{dialect}");
        }
    }
}
