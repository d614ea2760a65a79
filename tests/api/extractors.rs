//! Axum: extractors and the handle for handlers that sign in themselves.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use http::{StatusCode, header};
use portcullis::{
    Auth, AuthContext, AuthLayer, BoxError, Claims, JwtContext, Require, RequireAuth, Requirement, Session,
    SessionContext, SignInDecision, SignInError, Token, User,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{App, Browser, ManualClock, NOW, app, builder};

/// The application's own type for the user.
#[derive(Debug, Serialize, Deserialize)]
struct Member {
    email: String,
    role: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Permissions {
    sub: String,
    role: Option<String>,
}

async fn with_role(SessionContext { mut session, token, .. }: SessionContext) -> Result<Session, BoxError> {
    session.user.insert("role", token.get_str("role").unwrap_or("user"));
    Ok(session)
}

fn routes() -> Router {
    Router::new()
        .route("/me", get(async |session: Session| session.user.name.unwrap_or_default()))
        .route(
            "/maybe",
            get(async |session: Option<Session>| session.map_or("nobody".into(), |s| s.subject().to_owned())),
        )
        .route("/member", get(async |session: Session<Member>| Json(session.user)))
        .route("/token", get(async |token: Option<Token<Permissions>>| Json(token.map(|token| token.claims))))
        .route("/enter/{id}", get(enter))
        .route("/leave", get(async |auth: AuthContext| auth.sign_out().await))
        .route("/rename", get(rename))
        .route("/swap", get(swap))
        .route("/admin", get(async || "all of it").layer(RequireAuth::role("admin")))
        .route("/form", post(async || "taken").layer(RequireAuth::signed_in().page()))
}

/// Leaves, and then somebody who does not know renews.
async fn swap(auth: AuthContext) -> String {
    auth.sign_out().await.unwrap();
    format!("{:?}", auth.update(json!({})).await.unwrap().is_none())
}

async fn enter(auth: AuthContext, Path(id): Path<String>) -> Result<&'static str, SignInError> {
    auth.sign_in(User::new(id).name("Walked In").email("w@example.com")).await?;
    Ok("welcome")
}

async fn rename(auth: AuthContext) -> String {
    let session = auth.update(json!({ "name": "Renamed" })).await.unwrap();
    session.map_or("nobody".to_owned(), |session| session.user.name.unwrap_or_default())
}

fn layered(auth: Auth) -> App {
    app(routes().layer(AuthLayer::new(auth)))
}

#[tokio::test]
async fn sessions_and_tokens_in_handlers() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(layered(builder(&clock).on_session(with_role).build().unwrap()));
    for (path, status) in [("/me", 401), ("/maybe", 200), ("/member", 401), ("/token", 200)] {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.get("/me").await.text(), "J Smith");
    assert_eq!(browser.get("/maybe").await.text(), "1");
    assert_eq!(browser.get("/member").await.json(), json!({ "email": "jsmith@example.com", "role": "user" }));
    assert_eq!(browser.get("/token").await.json(), json!({ "sub": "1", "role": null }));
}

/// A user that does not fit the handler's type is an error of ours, not "nobody".
#[tokio::test]
async fn a_user_of_another_shape_is_an_error() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(layered(builder(&clock).build().unwrap()));
    browser.sign_in("jsmith", "hunter2").await;
    let answer = browser.get("/member").await;
    assert_eq!(
        (answer.status, answer.json()["error"].clone()),
        (StatusCode::INTERNAL_SERVER_ERROR, json!("SessionShapeError"))
    );
}

#[tokio::test]
async fn handlers_sign_in_update_and_sign_out() {
    let clock = ManualClock::at(NOW);
    let auth = builder(&clock).on_jwt(async |mut cx| {
        if let Some(name) = cx.session.as_ref().and_then(|data| data["name"].as_str()) {
            cx.token.insert("name", name);
        }
        Ok(Some(cx.token))
    });
    let mut browser = Browser::new(layered(auth.build().unwrap()));
    assert_eq!(browser.get("/rename").await.text(), "nobody");
    let answer = browser.get("/enter/7").await;
    assert_eq!(answer.text(), "welcome");
    assert!(answer.header(header::CACHE_CONTROL.as_str()).unwrap().contains("no-store"));
    assert_eq!(browser.get("/maybe").await.text(), "7");
    browser.get("/rename").await;
    assert_eq!(browser.get("/me").await.text(), "Renamed");
    browser.get("/leave").await;
    assert_eq!(browser.get("/maybe").await.text(), "nobody");
    browser.get("/enter/7").await;
    assert_eq!(browser.get("/swap").await.text(), "true");
    assert_eq!(browser.get("/maybe").await.text(), "nobody", "an update does not undo a sign-out");
}

/// No session is no sign-in.
#[tokio::test]
async fn a_sign_in_without_a_session_is_refused() {
    let clock = ManualClock::at(NOW);
    let auth = builder(&clock).on_jwt(async |_| Ok(None)).build().unwrap();
    let mut browser = Browser::new(layered(auth));
    let answer = browser.get("/enter/7").await;
    assert_eq!((answer.status, answer.cookies().len()), (StatusCode::FORBIDDEN, 0));
}

/// What was posted to a guarded page is not posted on to the sign-in page; the way back stays on this site.
#[tokio::test]
async fn the_way_to_the_sign_in_page() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(layered(builder(&clock).build().unwrap()));
    assert_eq!(browser.post("/form", &[("a", "1")]).await.status, StatusCode::SEE_OTHER);
    let guarded = Router::new().fallback(async || "there").layer(RequireAuth::signed_in().page());
    let mut browser = Browser::new(app(guarded.layer(AuthLayer::new(builder(&clock).build().unwrap()))));
    let location = browser.get("//evil.example/x").await.header("location").unwrap().to_owned();
    assert!(location.ends_with("callbackUrl=%2Fevil.example%2Fx"), "{location}");
}

#[tokio::test]
async fn a_refused_sign_in_changes_nothing() {
    let clock = ManualClock::at(NOW);
    let auth = builder(&clock).on_sign_in(async |cx| match cx.user.id.as_str() {
        "denied" => Ok(SignInDecision::Deny),
        "broken" => Err("no database".into()),
        _ => Ok(SignInDecision::Allow),
    });
    let mut browser = Browser::new(layered(auth.build().unwrap()));
    for id in ["denied", "broken"] {
        let answer = browser.get(&format!("/enter/{id}")).await;
        assert_eq!((answer.status, answer.cookies().len()), (StatusCode::FORBIDDEN, 0), "{id}");
        assert!(!answer.text().contains("database"));
    }
    assert_eq!(browser.get("/maybe").await.text(), "nobody");
}

/// Without the layer nothing passes, and the answer says what to add.
#[tokio::test]
async fn a_missing_layer_fails_closed() {
    let mut browser = Browser::new(app(routes()));
    for path in ["/me", "/maybe", "/member", "/token", "/enter/7", "/leave", "/rename", "/admin"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(answer.json()["error"], "MissingAuthLayer", "{path}");
        assert!(answer.text().contains("AuthLayer::new(auth)"), "{path}");
    }
}

#[tokio::test]
async fn guards_on_one_route() {
    let clock = ManualClock::at(NOW);
    let auth = builder(&clock).on_jwt(async |mut cx| {
        if let Some(role) = cx.user.as_ref().and_then(|user| user.get_str("role")) {
            cx.token.insert("role", role);
        }
        Ok(Some(cx.token))
    });
    let mut browser = Browser::new(layered(auth.build().unwrap()));
    assert_eq!(browser.get("/admin").await.status, StatusCode::UNAUTHORIZED);
    let mut page = browser.clone().with_header("accept", "text/html");
    let answer = page.get("/admin?tab=1").await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(
        answer.header("location"),
        Some("http://localhost:3000/api/auth/signin?callbackUrl=%2Fadmin%3Ftab%3D1")
    );
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.get("/admin").await.status, StatusCode::FORBIDDEN);
    browser.sign_in("admin", "hunter2").await;
    assert_eq!(browser.get("/admin").await.text(), "all of it");
}

struct Admin;

impl Requirement for Admin {
    fn permits(claims: &Claims) -> bool {
        claims.has_role("admin")
    }
}

struct Careless;

impl Requirement for Careless {
    fn permits(_: &Claims) -> bool {
        panic!("no")
    }
}

/// S70, S72: a handler that names what it asks for runs for nobody else.
#[tokio::test]
async fn s70_s72_a_requirement_is_a_guard() {
    async fn copy_role(JwtContext { mut token, user, .. }: JwtContext) -> Result<Option<Claims>, BoxError> {
        if let Some(role) = user.as_ref().and_then(|user| user.get_str("role")) {
            token.insert("role", role);
        }
        Ok(Some(token))
    }
    let clock = ManualClock::at(NOW);
    let handler = async |admin: Require<Admin>| {
        let session = admin.into_session();
        format!("{} {}", session.subject(), session.user.name.as_deref().unwrap())
    };
    let router = || Router::new().route("/admin", get(handler));
    let auth = || builder(&clock).on_jwt(copy_role);
    let mut browser = Browser::new(app(router().layer(AuthLayer::new(auth().build().unwrap()))));
    assert_eq!(browser.get("/admin").await.status, 401);
    browser.sign_in("jsmith", "hunter2").await;
    let answer = browser.get("/admin").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (403, &json!("Forbidden")));
    browser.sign_in("admin", "hunter2").await;
    assert_eq!(browser.get("/admin").await.text(), "2 Admin");

    let mut unlayered = Browser::new(app(router()));
    unlayered.jar = browser.jar.clone();
    assert_eq!(unlayered.get("/admin").await.status, 500);
    let failing = auth().on_session(async |_: SessionContext| Err::<Session, BoxError>("away".into()));
    let mut failing = Browser::new(app(router().layer(AuthLayer::new(failing.build().unwrap()))));
    failing.jar = browser.jar.clone();
    assert_eq!(failing.get("/admin").await.status, 503);

    let careless = Router::new().route("/admin", get(async |_: Require<Careless>| "reached"));
    let mut careless = Browser::new(app(careless.layer(AuthLayer::new(auth().build().unwrap()))));
    careless.jar = browser.jar.clone();
    assert_eq!(careless.get("/admin").await.status, 503);
}

/// The way back is the address in the address bar, however deep the guard stands.
#[tokio::test]
async fn guards_in_nested_routers_know_the_whole_path() {
    let clock = ManualClock::at(NOW);
    let inner = Router::new().route("/{id}", get(async || "reached")).layer(RequireAuth::signed_in().page());
    let middle = Router::new().nest("/orders", inner);
    let router =
        Router::new().nest("/account", middle).layer(AuthLayer::new(builder(&clock).build().unwrap()));
    let answer = Browser::new(app(router)).get("/account/orders/7?all=1").await;
    assert_eq!(
        answer.header("location"),
        Some("http://localhost:3000/api/auth/signin?callbackUrl=%2Faccount%2Forders%2F7%3Fall%3D1")
    );
}
