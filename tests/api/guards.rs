//! Who may pass, and that nobody does by accident: rows S70 to S75 of `docs/security.md`.

use std::{
    convert::Infallible,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthBuilder, AuthLayer, BoxError, Claims, Dialect, JwtContext, Lifetime, Pages, RequireAuth,
    Secret, Session, SessionContext,
    codec::{Codec, JweGcm},
    get_auth_context, get_raw_token, get_server_session, get_token,
    guard::Rule,
};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};

use crate::support::{App, Browser, DAY, ManualClock, NOW, SECRET, app, builder, whoami};

const COOKIE: &str = "next-auth.session-token";

/// A handler that nobody should reach, and how often it was.
#[derive(Clone, Default)]
struct Treasure(Arc<AtomicUsize>);

impl Treasure {
    fn service(&self) -> BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible> {
        let count = self.0.clone();
        BoxCloneSyncService::new(service_fn(move |_: Request<Full<Bytes>>| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok(Response::new(Full::new(Bytes::from("treasure")))) }
        }))
    }

    fn behind(&self, auth: Auth, guard: RequireAuth) -> App {
        app(AuthLayer::new(auth).layer(guard.layer(self.service())))
    }

    fn visits(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// The cookies of somebody who has signed in.
async fn cookies_of(clock: &ManualClock, user: &str) -> Browser {
    let mut browser = Browser::new(whoami(builder(clock).build().unwrap()));
    browser.sign_in(user, "hunter2").await;
    browser
}

fn in_front_of(app: App, jar: &Browser) -> Browser {
    let mut browser = Browser::new(app);
    browser.jar = jar.jar.clone();
    browser
}

type Fault = (&'static str, fn(AuthBuilder) -> AuthBuilder);

const SESSION_FAULTS: [Fault; 4] = [
    ("session fails", |builder| {
        builder.on_session(async |_: SessionContext| Err::<Session, BoxError>("no".into()))
    }),
    ("session panics at once", |builder| {
        builder
            .on_session(|_: SessionContext| -> std::future::Ready<Result<Session, BoxError>> { panic!("no") })
    }),
    ("session panics later", |builder| builder.on_session(async |_: SessionContext| panic!("no"))),
    ("session hangs", |builder| builder.on_session(async |_: SessionContext| pending().await)),
];

const JWT_FAULTS: [Fault; 4] = [
    ("jwt fails", |builder| {
        builder.on_jwt(async |_: JwtContext| Err::<Option<Claims>, BoxError>("no".into()))
    }),
    ("jwt panics at once", |builder| {
        builder
            .on_jwt(|_: JwtContext| -> std::future::Ready<Result<Option<Claims>, BoxError>> { panic!("no") })
    }),
    ("jwt panics later", |builder| builder.on_jwt(async |_: JwtContext| panic!("no"))),
    ("jwt hangs", |builder| builder.on_jwt(async |_: JwtContext| pending().await)),
];

fn guards() -> Vec<(&'static str, RequireAuth)> {
    vec![
        ("signed in", RequireAuth::signed_in()),
        ("cookie only", RequireAuth::signed_in().cookie_only()),
        ("a predicate", RequireAuth::when(|_| true)),
        ("as a page", RequireAuth::signed_in().page()),
        ("to the sign-in page", RequireAuth::signed_in().forbidden_to_sign_in()),
    ]
}

#[tokio::test]
async fn s70_callbacks_that_do_not_answer_let_nobody_pass() {
    let clock = ManualClock::at(NOW);
    let signed_in = cookies_of(&clock, "jsmith").await;
    let treasure = Treasure::default();
    for (name, guard) in guards() {
        let mut control = in_front_of(treasure.behind(builder(&clock).build().unwrap(), guard), &signed_in);
        control.get("/").await;
        assert_eq!(treasure.visits(), 1, "{name}: the control");
    }
    for (fault, apply) in SESSION_FAULTS {
        for (name, guard) in guards() {
            let app = treasure.behind(apply(builder(&clock)).build().unwrap(), guard);
            let answer = in_front_of(app, &signed_in).get("/").await;
            assert_eq!((answer.status.as_u16(), treasure.visits()), (503, 0), "{fault}, {name}");
        }
    }
    clock.advance(2 * DAY);
    for (fault, apply) in JWT_FAULTS.into_iter().chain(SESSION_FAULTS) {
        for (name, guard) in guards() {
            let app = treasure.behind(apply(builder(&clock)).build().unwrap(), guard);
            let answer = in_front_of(app, &signed_in).get("/").await;
            assert_eq!((answer.status.as_u16(), treasure.visits()), (503, 0), "{fault}, due, {name}");
            assert!(answer.cookies().is_empty(), "{fault}, {name}");
        }
    }
}

/// A `jwt` callback that ends the session, broken and expired tokens, predicates that refuse or panic.
#[tokio::test]
async fn s70_whatever_is_no_session_lets_nobody_pass() {
    let clock = ManualClock::at(NOW);
    let signed_in = cookies_of(&clock, "jsmith").await;
    let treasure = Treasure::default();
    for (guard, status) in [
        (RequireAuth::when(|_| panic!("no")), 503),
        (RequireAuth::when(|_| false), 403),
        (RequireAuth::role("admin"), 403),
        (RequireAuth::role(""), 403),
        (RequireAuth::when(|_| false).forbidden_to_sign_in(), 401),
    ] {
        let app = treasure.behind(builder(&clock).build().unwrap(), guard);
        let answer = in_front_of(app, &signed_in).get("/").await;
        assert_eq!((answer.status.as_u16(), treasure.visits()), (status, 0));
    }
    for token in ["", "rubbish", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."] {
        let app = treasure.behind(builder(&clock).build().unwrap(), RequireAuth::signed_in());
        let mut browser = Browser::new(app).with_cookie(COOKIE, token);
        assert_eq!((browser.get("/").await.status.as_u16(), treasure.visits()), (401, 0), "{token}");
        browser = browser.with_header("authorization", &format!("Bearer {token}"));
        browser.jar.clear();
        assert_eq!((browser.get("/").await.status.as_u16(), treasure.visits()), (401, 0), "Bearer {token}");
    }
    clock.advance(2 * DAY);
    let ended = builder(&clock).on_jwt(async |_: JwtContext| Ok::<_, BoxError>(None)).build().unwrap();
    let answer = in_front_of(treasure.behind(ended, RequireAuth::signed_in()), &signed_in).get("/").await;
    assert_eq!((answer.status.as_u16(), treasure.visits()), (401, 0));
    clock.advance(60 * DAY);
    let late = treasure.behind(builder(&clock).build().unwrap(), RequireAuth::signed_in());
    assert_eq!((in_front_of(late, &signed_in).get("/").await.status.as_u16(), treasure.visits()), (401, 0));
}

/// A sign-in whose callbacks do not answer signs nobody in.
#[tokio::test]
async fn s70_callbacks_that_do_not_answer_sign_nobody_in() {
    let clock = ManualClock::at(NOW);
    let sign_in_faults: [Fault; 3] = [
        ("sign_in fails", |builder| builder.on_sign_in(async |_| Err("no".into()))),
        ("sign_in panics", |builder| builder.on_sign_in(async |_| panic!("no"))),
        ("sign_in hangs", |builder| builder.on_sign_in(async |_| pending().await)),
    ];
    for dialect in [Dialect::V4, Dialect::V5] {
        for (fault, apply) in JWT_FAULTS.into_iter().chain(sign_in_faults) {
            let mut browser = Browser::new(whoami(apply(builder(&clock).dialect(dialect)).build().unwrap()));
            let answer = browser.sign_in("jsmith", "hunter2").await;
            assert!(answer.text().contains("error="), "{dialect}, {fault}: {}", answer.text());
            assert_eq!(browser.who().await, "nobody", "{dialect}, {fault}");
            assert!(!browser.jar.keys().any(|name| name.contains("session-token")), "{dialect}, {fault}");
        }
        for user in ["boom", "panic", "hang", "locked"] {
            let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
            browser.sign_in(user, "hunter2").await;
            assert_eq!(browser.who().await, "nobody", "{dialect}: {user}");
        }
    }
}

#[tokio::test]
async fn s72_a_guard_without_the_layer_is_an_error_and_never_open() {
    let clock = ManualClock::at(NOW);
    let signed_in = cookies_of(&clock, "jsmith").await;
    let treasure = Treasure::default();
    for (name, guard) in guards() {
        let alone = app(guard.clone().layer(treasure.service()));
        let layer = AuthLayer::new(builder(&clock).build().unwrap());
        let reordered = app(guard.layer(layer.layer(treasure.service())));
        for app in [alone, reordered] {
            let answer = in_front_of(app, &signed_in).get("/").await;
            assert_eq!((answer.status.as_u16(), treasure.visits()), (500, 0), "{name}");
            assert!(answer.text().contains("AuthLayer"), "the remedy: {}", answer.text());
        }
    }
    let request = signed_in_request(&signed_in);
    assert!(get_server_session(&request).is_err() && get_token::<Claims>(&request).is_err());
    assert!(get_raw_token(&request).is_err() && get_auth_context(&request).is_err());
}

fn signed_in_request(browser: &Browser) -> Request<Full<Bytes>> {
    let cookie = format!("{COOKIE}={}", browser.jar[COOKIE]);
    Request::builder().header("cookie", cookie).body(Full::default()).unwrap()
}

/// The layer is seen inside it only: not afterwards, not after a panic, not while its service waits.
#[tokio::test]
async fn s72_the_layer_leaves_nothing_behind() {
    let clock = ManualClock::at(NOW);
    let auth = builder(&clock).build().unwrap();
    let is_missing = || get_server_session(&Request::new(())).is_err();
    let mut browser = Browser::new(whoami(auth.clone()));
    assert_eq!(browser.who().await, "nobody");
    assert!(is_missing(), "after a response");

    let panics = AuthLayer::new(auth.clone()).layer(service_fn(
        |_: Request<Full<Bytes>>| -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
            panic!("no")
        },
    ));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(panics.oneshot(Request::default())))).is_ok());
    let mut panicking = Box::pin(
        AuthLayer::new(auth.clone())
            .layer(service_fn(async |_: Request<Full<Bytes>>| -> Result<Response<Full<Bytes>>, Infallible> {
                panic!("no")
            }))
            .oneshot(Request::default()),
    );
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(catch_unwind(AssertUnwindSafe(|| panicking.as_mut().poll(&mut cx).is_pending())).is_err());
    assert!(is_missing(), "after a panic");

    let mut waiting = Box::pin(
        AuthLayer::new(auth)
            .layer(service_fn(async |_: Request<Full<Bytes>>| {
                pending::<Result<Response<Full<Bytes>>, Infallible>>().await
            }))
            .oneshot(Request::default()),
    );
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert!(is_missing(), "while a service waits");
}

/// Headers with which other stacks say who is there, or that all is well.
const CLAIMING_HEADERS: [&str; 18] = [
    "x-user",
    "x-user-id",
    "x-auth-user",
    "x-auth-request-user",
    "x-auth-token",
    "x-authenticated",
    "x-session",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-remote-user",
    "remote-user",
    "x-middleware-subrequest",
    "x-middleware-next",
    "x-middleware-rewrite",
    "x-invoke-path",
    "x-nextauth-skip",
    "x-portcullis-user",
    "x-original-url",
];

#[tokio::test]
async fn s72_headers_identify_nobody() {
    let clock = ManualClock::at(NOW);
    let signed_in = cookies_of(&clock, "jsmith").await;
    let treasure = Treasure::default();
    let guarded = |guard| treasure.behind(builder(&clock).build().unwrap(), guard);
    for name in CLAIMING_HEADERS {
        for value in ["1", "admin", "true", "middleware:middleware:middleware", "src/middleware", "/public"] {
            let mut stranger = Browser::new(guarded(RequireAuth::signed_in())).with_header(name, value);
            assert_eq!(
                (stranger.get("/").await.status.as_u16(), treasure.visits()),
                (401, 0),
                "{name}: {value}"
            );
            let mut user =
                in_front_of(guarded(RequireAuth::role("admin")), &signed_in).with_header(name, value);
            assert_eq!((user.get("/").await.status.as_u16(), treasure.visits()), (403, 0), "{name}: {value}");
            let mut stranger =
                Browser::new(whoami(builder(&clock).build().unwrap())).with_header(name, value);
            assert_eq!(stranger.who().await, "nobody", "{name}: {value}");
            assert_eq!(stranger.session().await, json!({}), "{name}: {value}");
        }
    }
}

/// Guards at a route and at a handler, of a router whose layer was put inside instead of outside.
#[cfg(feature = "axum")]
#[tokio::test]
async fn s72_extractors_and_route_guards_need_the_layer() {
    use axum::{Router, routing::get};
    let clock = ManualClock::at(NOW);
    let signed_in = cookies_of(&clock, "jsmith").await;
    let routes = || {
        Router::new()
            .route("/session", get(async |_: Session| "treasure"))
            .route("/maybe", get(async |_: Option<Session>| "treasure"))
            .route("/token", get(async |_: Option<portcullis::Token>| "treasure"))
            .route("/guarded", get(async || "treasure").layer(RequireAuth::signed_in()))
    };
    for path in ["/session", "/maybe", "/token", "/guarded"] {
        let bare = app(routes());
        let answer = in_front_of(bare, &signed_in).get(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.text().contains("MissingAuthLayer"), "{path}: {}", answer.text());
        let layered = app(routes().layer(AuthLayer::new(builder(&clock).build().unwrap())));
        assert_eq!(in_front_of(layered, &signed_in).get(path).await.text(), "treasure", "{path}");
    }
}

/// Answers the claims of the token, without those that change with each one.
fn claims_of(auth: Auth) -> App {
    app(AuthLayer::new(auth).layer(service_fn(async |request: Request<Full<Bytes>>| {
        let claims = get_token::<Claims>(&request).unwrap().map(|token| {
            let lasting = token.claims.iter().filter(|(name, _)| *name != "jti");
            lasting.map(|(name, value)| (name.to_owned(), value.clone())).collect::<serde_json::Map<_, _>>()
        });
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(json!(claims).to_string()))))
    })))
}

const IDENTITY: [(&str, &str); 12] = [
    ("userId", "2"),
    ("user_id", "2"),
    ("user", "2"),
    ("id", "2"),
    ("sub", "2"),
    ("role", "admin"),
    ("roles", "admin"),
    ("tenant", "other"),
    ("email", "admin@example.com"),
    ("name", "Admin"),
    ("account", "2"),
    ("exp", "99999999999"),
];

/// Puts [`IDENTITY`] into the query, the headers and the body of every request.
async fn loaded(browser: &mut Browser, method: Method, action: &str, fields: &[(&str, &str)]) {
    for (name, value) in IDENTITY {
        let name = http::HeaderName::try_from(name.to_ascii_lowercase().replace('_', "-")).unwrap();
        browser.headers.insert(name, value.parse().unwrap());
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(IDENTITY).finish();
    let uri = format!("/api/auth/{action}?{query}");
    if method == Method::GET {
        browser.get(&uri).await;
    } else {
        let fields: Vec<_> = fields.iter().copied().chain(IDENTITY).collect();
        browser.post(&uri, &fields).await;
        let members: serde_json::Map<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        browser.send(method, &uri, Some("application/json"), json!(members).to_string().into()).await;
    }
    browser.headers.clear();
}

#[tokio::test]
async fn s73_requests_do_not_say_who_they_are_from() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let app = claims_of(builder(&clock).dialect(dialect).build().unwrap());
        let mut plain = Browser::new(app.clone());
        plain.sign_in("jsmith", "hunter2").await;
        let expected = plain.get("/").await.json();
        assert_eq!(expected["sub"], "1");

        let mut stranger = Browser::new(app.clone());
        let mut user = plain.clone();
        for action in [
            "signin",
            "session",
            "csrf",
            "providers",
            "error",
            "signin/credentials",
            "callback/credentials",
            "_log",
        ] {
            for method in [Method::GET, Method::POST] {
                loaded(&mut stranger, method.clone(), action, &[]).await;
                assert_eq!(stranger.get("/").await.json(), Value::Null, "{dialect} {method} {action}");
                let token = user.csrf_token().await;
                loaded(&mut user, method.clone(), action, &[("csrfToken", &token)]).await;
                assert_eq!(user.get("/").await.json(), expected, "{dialect} {method} {action}");
            }
        }
        let token = stranger.csrf_token().await;
        let fields = [("csrfToken", &*token), ("username", "jsmith"), ("password", "hunter2")];
        loaded(&mut stranger, Method::POST, "callback/credentials", &fields).await;
        assert_eq!(stranger.get("/").await.json(), expected, "{dialect}: a sign-in");
    }
}

fn greedy_update() -> Value {
    json!({ "sub": "2", "role": "admin", "exp": 99_999_999_999u64, "iat": 0, "auth_time": NOW + 999_999, "jti": "mine" })
}

async fn update(browser: &mut Browser, data: &Value) -> crate::support::Answer {
    let body = json!({ "csrfToken": browser.csrf_token().await, "data": data }).to_string();
    browser.send(Method::POST, "/api/auth/session", Some("application/json"), body.into()).await
}

/// Without a `jwt` callback an update changes nothing but the times.
#[tokio::test]
async fn s75_an_update_is_not_taken_over() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(claims_of(builder(&clock).dialect(dialect).build().unwrap()));
        browser.sign_in("jsmith", "hunter2").await;
        let before = browser.get("/").await.json();
        let answer = update(&mut browser, &greedy_update()).await;
        assert!(answer.json().get("user").is_some(), "{dialect}");
        assert_eq!(browser.get("/").await.json(), before, "{dialect}");
    }
}

/// A callback that takes over whatever was sent still cannot change who it is, nor how long.
#[tokio::test]
async fn s75_a_careless_callback_changes_neither_subject_nor_times() {
    async fn careless(JwtContext { mut token, session, .. }: JwtContext) -> Result<Option<Claims>, BoxError> {
        for (name, value) in session.as_ref().and_then(Value::as_object).into_iter().flatten() {
            token.insert(name.clone(), value.clone());
        }
        Ok(Some(token))
    }
    for dialect in [Dialect::V4, Dialect::V5] {
        let clock = ManualClock::at(NOW);
        let lifetime = portcullis::Lifetime::default().absolute(60 * DAY).unwrap();
        let auth = builder(&clock).dialect(dialect).lifetime(lifetime).on_jwt(careless).build().unwrap();
        let mut browser = Browser::new(claims_of(auth));
        browser.sign_in("jsmith", "hunter2").await;
        let before = browser.get("/").await.json();

        let mut without_subject = greedy_update();
        without_subject.as_object_mut().unwrap().remove("sub");
        update(&mut browser, &without_subject).await;
        let mut after = browser.get("/").await.json();
        assert_eq!(
            after.as_object_mut().unwrap().remove("role"),
            Some(json!("admin")),
            "{dialect}: its own choice"
        );
        assert_eq!(after, before, "{dialect}");

        let answer = update(&mut browser, &greedy_update()).await;
        assert!(answer.json().get("user").is_none(), "{dialect}: {}", answer.text());
        assert_ne!(browser.get("/").await.json()["sub"], "2", "{dialect}");
    }
}

/// Who may pass: each rule about a user of each kind.
#[tokio::test]
async fn rules_decide() {
    let user = json!({ "sub": "1", "role": "user", "teams": ["support", "sales"], "level": 3 });
    let admin = json!({ "sub": "2", "roles": ["admin"], "suspended": true });
    let yes = || Rule::when_async(async |_: Claims| Ok::<_, BoxError>(true));
    let no = || Rule::when_async(async |_: Claims| Ok::<_, BoxError>(false));
    let cases: Vec<(&str, Rule, u16, u16)> = vec![
        ("signed in", Rule::signed_in(), 200, 200),
        ("role", Rule::role("admin"), 403, 200),
        ("claim in a list", Rule::claim("teams", "sales"), 200, 403),
        ("claim of another type", Rule::claim("level", "3"), 403, 403),
        ("claim", Rule::claim("level", 3), 200, 403),
        ("not", !Rule::role("admin"), 200, 403),
        ("not not", !!Rule::role("admin"), 403, 200),
        ("not signed in", !Rule::signed_in(), 403, 403),
        ("all of none", Rule::all([]), 200, 200),
        ("any of none", Rule::any([]), 403, 403),
        ("all", Rule::all([Rule::role("admin"), !Rule::claim("suspended", true)]), 403, 403),
        ("any", Rule::any([Rule::role("admin"), Rule::claim("level", 3)]), 200, 200),
        ("asked", yes(), 200, 200),
        ("asked in vain", no(), 403, 403),
        ("asked and not", !no(), 200, 200),
        ("asked last", Rule::all([Rule::role("admin"), yes()]), 403, 200),
        ("asked first", Rule::any([no(), Rule::role("admin")]), 403, 200),
        ("deep", Rule::any([Rule::all([yes(), Rule::role("admin")]), !Rule::any([yes(), no()])]), 403, 200),
    ];
    for (name, rule, for_user, for_admin) in cases {
        for (claims, expected) in [(&user, for_user), (&admin, for_admin)] {
            let (status, visits) = verdict(rule.clone(), Some(claims)).await;
            assert_eq!((status, visits), (expected, usize::from(expected == 200)), "{name}: {claims}");
        }
        assert_eq!(verdict(rule, None).await, (401, 0), "{name}: nobody");
    }
}

/// S70: a question without an answer is no yes, wherever in a rule it stands and however it is turned.
#[tokio::test]
async fn s70_a_question_without_an_answer_lets_nobody_pass() {
    let claims = json!({ "sub": "1" });
    type Fault = (&'static str, fn() -> Rule);
    let faults: Vec<Fault> = vec![
        ("fails", || Rule::when_async(async |_: Claims| Err::<bool, BoxError>("no".into()))),
        ("panics", || Rule::when_async(async |_: Claims| panic!("no"))),
        ("panics at once", || {
            Rule::when_async(|_: Claims| -> std::future::Ready<Result<bool, BoxError>> { panic!("no") })
        }),
        ("hangs", || Rule::when_async(async |_: Claims| pending().await)),
        ("panics, not asked", || Rule::when(|_| panic!("no"))),
    ];
    for (name, fault) in faults {
        for rule in [fault(), !fault(), Rule::all([fault()]), Rule::any([Rule::role("x"), fault()])] {
            assert_eq!(verdict(rule.clone(), Some(&claims)).await, (503, 0), "{name}: {rule:?}");
        }
        let decided = [Rule::any([Rule::signed_in(), fault()]), !Rule::all([Rule::role("x"), fault()])];
        for rule in decided {
            assert_eq!(
                verdict(rule.clone(), Some(&claims)).await,
                (200, 1),
                "{name}: {rule:?} is decided before"
            );
        }
    }
}

async fn verdict(rule: Rule, claims: Option<&Value>) -> (u16, usize) {
    let treasure = Treasure::default();
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(treasure.behind(builder(&clock).build().unwrap(), rule.into()));
    if let Some(claims) = claims {
        browser = browser.with_cookie(COOKIE, &sealed(claims));
    }
    let status = browser.get("/").await.status.as_u16();
    (status, treasure.visits())
}

/// A session token with these claims.
fn sealed(claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["iat"] = NOW.into();
    claims["exp"] = (NOW + 3600).into();
    JweGcm::new(&Secret::new(SECRET), "").encode(claims.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_fresh_sign_in_can_be_asked_for() {
    let clock = ManualClock::at(NOW);
    let treasure = Treasure::default();
    let guard = || RequireAuth::new(Rule::fresh_within(Duration::from_secs(600)));
    let auth = || builder(&clock).record_auth_time(true).build().unwrap();
    let mut browser = Browser::new(whoami(auth()));
    browser.sign_in("jsmith", "hunter2").await;
    let ask = async |jar: &Browser| {
        in_front_of(treasure.behind(auth(), guard()), jar).get("/").await.status.as_u16()
    };
    assert_eq!(ask(&browser).await, 200);
    clock.advance(Duration::from_secs(600));
    // A renewal makes nobody fresh.
    browser.session().await;
    assert_eq!(ask(&browser).await, 200);
    clock.advance(Duration::from_secs(1));
    browser.session().await;
    assert_eq!(ask(&browser).await, 401, "signing in again would help");
    let stale = in_front_of(treasure.behind(auth(), guard()), &browser).get("/").await;
    assert_eq!(stale.json()["error"], "SignInTooOld");
    assert_eq!(stale.header("www-authenticate"), Some("Bearer error=\"insufficient_user_authentication\""));
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(ask(&browser).await, 200);
    assert_eq!(treasure.visits(), 3);

    // A session that began elsewhere has no such time, and does not get one by being renewed here.
    let foreign = json!({ "sub": "1", "role": "user" });
    let mut browser = Browser::new(whoami(auth())).with_cookie(COOKIE, &sealed(&foreign));
    assert_eq!(ask(&browser).await, 401);
    assert_eq!(browser.session().await["user"], json!({}));
    assert_ne!(browser.jar[COOKIE], sealed(&foreign), "renewed");
    assert_eq!(ask(&browser).await, 401);

    // Where no token has it, asking for it is a mistake of the program.
    let app = treasure.behind(builder(&clock).build().unwrap(), guard());
    let answer = in_front_of(app, &browser).get("/").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("record_auth_time"), "{}", answer.text());
    assert_eq!(treasure.visits(), 0);
}

#[tokio::test]
async fn guards_can_be_about_some_paths() {
    let clock = ManualClock::at(NOW);
    let treasure = Treasure::default();
    let auth = || builder(&clock).pages(Pages::new().sign_in("/login").error("/oops")).build().unwrap();
    let only = || RequireAuth::signed_in().matching(["/account/:path*"]).except(["/account/help"]);
    for (path, status) in [
        ("/", 200),
        ("/account", 401),
        ("/account/x/y", 401),
        ("/account/help", 200),
        ("/account/help/x", 401),
        ("//account", 401),
        ("/%61ccount/x", 401),
        ("/x/../account", 401),
        ("/account/../account/help", 401),
    ] {
        let answer = Browser::new(treasure.behind(auth(), only())).get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
    for (path, status) in
        [("/login", 200), ("/oops", 200), ("/favicon.ico", 200), ("/_next/x", 200), ("/x", 307)]
    {
        let guard = RequireAuth::with_auth(Rule::signed_in());
        let answer = Browser::new(treasure.behind(auth(), guard)).get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn refusals_can_be_the_applications_own() {
    let clock = ManualClock::at(NOW);
    let treasure = Treasure::default();
    let guard =
        RequireAuth::signed_in().sign_in_page("https://login.example/?app=7").refuse_with(|refused| {
            let text =
                format!("{} {:?} {}", refused.status(), refused.refusal, refused.sign_in_url.unwrap_or("-"));
            (refused.uri.path() != "/usual").then(|| Response::new(text.into()))
        });
    let app = || treasure.behind(builder(&clock).build().unwrap(), guard.clone());
    assert_eq!(
        Browser::new(app()).get("/x").await.text(),
        "401 Unauthorized NotSignedIn https://login.example/?app=7&callbackUrl=http%3A%2F%2Flocalhost%3A3000%2Fx"
    );
    assert_eq!(Browser::new(app()).get("/usual").await.status, 401);
    let panics = RequireAuth::signed_in().refuse_with(|_| panic!("no"));
    let answer = Browser::new(treasure.behind(builder(&clock).build().unwrap(), panics)).get("/").await;
    assert_eq!((answer.status.as_u16(), treasure.visits()), (401, 0));
}

/// S19, S75: when somebody signed in is not for a client to say, whatever a callback lets through.
#[tokio::test]
async fn s19_s75_a_client_does_not_say_when_it_signed_in() {
    let clock = ManualClock::at(NOW);
    let careless = async |JwtContext { mut token, session, .. }: JwtContext| {
        for (name, value) in session.iter().filter_map(Value::as_object).flatten() {
            token.insert(name, value.clone());
        }
        Ok::<_, BoxError>(Some(token))
    };
    let limit = Lifetime::default().absolute(DAY).unwrap();
    for (lifetime, recorded) in [(limit, true), (Lifetime::default(), true), (Lifetime::default(), false)] {
        let auth = || {
            builder(&clock).lifetime(lifetime).record_auth_time(recorded).on_jwt(careless).build().unwrap()
        };
        let treasure = Treasure::default();
        let fresh = || RequireAuth::new(Rule::fresh_within(Duration::from_secs(600)));
        let foreign = sealed(&json!({ "sub": "1" }));
        let mut browser = Browser::new(whoami(auth())).with_cookie(COOKIE, &foreign);
        for claims in
            [json!({ "auth_time": 253_402_300_799_i64 }), json!({ "auth_time": NOW, "orig_iat": NOW })]
        {
            let csrf = browser.csrf_token().await;
            let update = json!({ "csrfToken": csrf, "data": claims }).to_string();
            browser.send(Method::POST, "/api/auth/session", Some("application/json"), update.into()).await;
            let answer = in_front_of(treasure.behind(auth(), fresh()), &browser).get("/").await;
            assert!([401, 500].contains(&answer.status.as_u16()), "{claims}");
        }
        assert_eq!(treasure.visits(), 0);
    }
}

/// A rule's own panic, wherever in the rule it comes.
#[tokio::test]
async fn s70_a_panic_behind_a_question_lets_nobody_pass() {
    let asked = || Rule::when_async(async |_: Claims| Ok::<_, BoxError>(true));
    let rule = Rule::all([asked(), Rule::when(|_| panic!("no"))]);
    assert_eq!(verdict(rule, Some(&json!({ "sub": "1" }))).await, (503, 0));
}

/// S76: below a prefix, a page that ends like the sign-in page is another page.
#[cfg(feature = "axum")]
#[tokio::test]
async fn s76_own_pages_are_whole_paths() {
    use axum::{Router, routing::any};
    let clock = ManualClock::at(NOW);
    let guard = || RequireAuth::with_auth(Rule::role("admin"));
    let site = |page: &str| {
        let pages =
            || Router::new().route("/", any(async || "treasure")).route("/{*rest}", any(async || "treasure"));
        let auth = builder(&clock).pages(Pages::new().sign_in(page).error("/oops")).build().unwrap();
        app(Router::new()
            .nest("/admin", pages().layer(guard()))
            .merge(pages().layer(guard()))
            .layer(AuthLayer::new(auth)))
    };
    for (page, path, status) in [
        ("/", "/admin", 307),
        ("/", "/", 200),
        ("/login", "/admin/login", 307),
        ("/login", "/admin/oops", 307),
        ("/login", "/admin/favicon.ico", 307),
        ("/login", "/admin/_next/x", 307),
        ("/login", "/login", 200),
        ("/admin/login", "/admin/login", 200),
        ("/login", "/favicon.ico", 200),
    ] {
        let answer = Browser::new(site(page)).get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{page} {path}");
    }
}

/// A content type does not choose how a guard answers, except where it chooses itself.
#[tokio::test]
async fn refusals_of_pages_stay_refusals() {
    let clock = ManualClock::at(NOW);
    let treasure = Treasure::default();
    for (method, guard, status) in [
        (Method::GET, RequireAuth::signed_in(), 401),
        (Method::POST, RequireAuth::signed_in().json(), 401),
        (Method::GET, RequireAuth::signed_in().page(), 307),
        (Method::POST, RequireAuth::signed_in(), 200),
        (Method::GET, RequireAuth::signed_in().grpc(), 200),
    ] {
        let mut browser = Browser::new(treasure.behind(builder(&clock).build().unwrap(), guard));
        let answer =
            browser.send(method, "/account.js", Some("application/grpc, text/html"), Bytes::new()).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        if status == 200 {
            assert!(answer.header("grpc-status").is_some());
            assert_eq!(answer.header("content-type"), Some("application/grpc"));
        }
    }
    assert_eq!(treasure.visits(), 0);
}

/// S81: what was refused can be logged.
#[tokio::test]
async fn s81_refusals_print_no_secrets() {
    let clock = ManualClock::at(NOW);
    let guard =
        RequireAuth::signed_in().refuse_with(|refused| Some(Response::new(format!("{refused:?}").into())));
    let mut browser = Browser::new(Treasure::default().behind(builder(&clock).build().unwrap(), guard))
        .with_cookie(COOKIE, "very-secret")
        .with_header("authorization", "Bearer very-secret");
    let text = browser.get("/x?token=very-secret").await.text();
    assert!(text.contains("NotSignedIn") && !text.contains("secret"), "{text}");
}
