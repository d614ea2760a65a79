//! The demo: sign in, see a protected page, sign out.
//!
//! ```sh
//! cargo run --example demo
//! ```
//!
//! Then open <http://127.0.0.1:3000>. Nothing has to be set; what may be:
//!
//! | variable | meaning |
//! |---|---|
//! | `PORT` | where to listen on 127.0.0.1, 3000 by default |
//! | `AUTH_URL` | the public origin, `http://127.0.0.1:PORT` by default |
//! | `AUTH_SECRET` | the secret; by default a new one at each start |
//! | `AUTH_COMPAT` | `v3`, `v4` (default) or `v5`: which generation of clients is served |
//! | `SESSION_MAX_AGE` | lifetime of a session in seconds, 30 days by default |
//! | `RUST_LOG` | what is logged, `info` by default |

use std::{env, error::Error, time::Duration};

use axum::{
    Json, Router,
    response::{Html, IntoResponse},
    routing::get,
};
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Credentials, Dialect, Field, JwtContext, Lifetime, OriginPolicy,
    RequireAuth, Secret, Session, SessionContext, Submitted, Token, Trigger, User,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let port: u16 = variable("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let here = format!("http://{}", listener.local_addr()?);
    let auth = configure(&variable("AUTH_URL").unwrap_or_else(|| here.clone()))?;
    println!("portcullis demo on {here}: sign in as jsmith or admin, the password of both is hunter2");
    axum::serve(listener, app(auth)).await?;
    Ok(())
}

fn configure(origin: &str) -> Result<Auth> {
    let dialect = match variable("AUTH_COMPAT").as_deref() {
        None | Some("v4") => Dialect::V4,
        Some("v3") => Dialect::V3,
        Some("v5") => Dialect::V5,
        Some(other) => return Err(format!("AUTH_COMPAT is {other:?}: set it to v3, v4 or v5").into()),
    };
    let day = Duration::from_secs(24 * 60 * 60);
    let max_age = match variable("SESSION_MAX_AGE") {
        Some(seconds) => Duration::from_secs(seconds.parse()?),
        None => 30 * day,
    };
    let auth = Auth::builder(secret()?)
        .origin(OriginPolicy::fixed(origin)?)
        .dialect(dialect)
        .lifetime(Lifetime::new(max_age, max_age.min(day))?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username").placeholder("jsmith"))
                .field(Field::password("password", "Password")),
        )
        .on_jwt(into_token)
        .on_session(into_session)
        .build()?;
    Ok(auth)
}

/// The configured secret, or one for this run.
fn secret() -> Result<Secret> {
    if env::vars().any(|(name, value)| {
        (name.starts_with("AUTH_SECRET") || name == "NEXTAUTH_SECRET") && !value.is_empty()
    }) {
        return Ok(Secret::from_env()?);
    }
    println!("AUTH_SECRET is not set: using a new one, so sessions end when this program does");
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(bytes))
}

/// Two accounts, and one that shows what happens when the check itself fails. A real one compares with a
/// password hash.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let smith = User::new("1").name("J Smith").email("jsmith@example.com").with("role", "user");
    let admin = User::new("2").name("Admin").email("admin@example.com").with("role", "admin");
    match (form.get("username"), form.get("password")) {
        (Some("jsmith"), Some("hunter2")) => Ok(Some(smith)),
        (Some("admin"), Some("hunter2")) => Ok(Some(admin)),
        (Some("boom"), _) => Err("internal failure".into()),
        _ => Ok(None),
    }
}

/// What the token remembers: id and role of the user, and a new name when the client asks for one.
async fn into_token(
    JwtContext { mut token, user, trigger, session, .. }: JwtContext,
) -> Result<Option<Claims>, BoxError> {
    if let Some(user) = user {
        token.insert("id", user.id.as_str());
        token.insert("role", user.get_str("role").unwrap_or("user"));
    }
    if trigger == Some(Trigger::Update) {
        let name = session.as_ref().and_then(|data| data.get("name")).and_then(Value::as_str);
        if let Some(name) = name.filter(|name| name.chars().count() <= 100) {
            token.insert("name", name);
        }
    }
    Ok(Some(token))
}

/// What clients see of it.
async fn into_session(
    SessionContext { mut session, token, .. }: SessionContext,
) -> Result<Session, BoxError> {
    for claim in ["id", "role"] {
        if let Some(value) = token.get(claim) {
            session.user.insert(claim, value.clone());
        }
    }
    if let Some(name) = token.get_str("name") {
        session.user.name = Some(name.to_owned());
    }
    Ok(session)
}

fn app(auth: Auth) -> Router {
    let page_guard = RequireAuth::signed_in().page();
    let admin_guard = RequireAuth::role("admin").page().forbidden_to_sign_in();
    Router::new()
        .route("/", get(home))
        .route("/protected", get(protected).layer(page_guard))
        .route("/admin", get(admin).layer(admin_guard))
        .route("/api/protected", get(api_protected))
        .route("/whoami", get(whoami))
        .route("/api/token", get(api_token))
        .layer(AuthLayer::new(auth))
}

async fn home(session: Option<Session>) -> Html<String> {
    let (status, actions) = match &session {
        Some(session) => (
            format!(
                "You are signed in as <b>{}</b>.",
                escaped(session.user.email.as_deref().unwrap_or("nobody"))
            ),
            r#"<a class="button" href="/protected">The protected page</a> <a href="/admin">The admin page</a> <a href="/api/auth/signout">Sign out</a>"#,
        ),
        None => (
            "You are not signed in.".to_owned(),
            r#"<a class="button" href="/api/auth/signin">Sign in</a> <a href="/protected">The protected page</a>"#,
        ),
    };
    page(
        "portcullis demo",
        &format!(
            "<p>{status}</p><p>{actions}</p>\
             <h2>Try</h2><ul>\
             <li>Sign in as <code>jsmith</code> or <code>admin</code>; the password is <code>hunter2</code>.</li>\
             <li><a href=\"/admin\">/admin</a> lets only <code>admin</code> in.</li>\
             <li><a href=\"/api/protected\">/api/protected</a> answers JSON, 401 to visitors.</li>\
             <li><a href=\"/whoami\">/whoami</a> is the session as the server has it, \
                 <a href=\"/api/auth/session\">/api/auth/session</a> as clients see it.</li></ul>"
        ),
    )
}

async fn protected(session: Session) -> Html<String> {
    let email = escaped(session.user.email.as_deref().unwrap_or_default());
    page(
        "Protected",
        &format!(
            "<p>Only people who are signed in see this. You are <b>{email}</b>.</p><p><a href=\"/\">Back</a></p>"
        ),
    )
}

async fn admin(session: Session) -> Html<String> {
    let email = escaped(session.user.email.as_deref().unwrap_or_default());
    page(
        "Admin",
        &format!("<p>Welcome, <b>{email}</b>: your role lets you see this.</p><p><a href=\"/\">Back</a></p>"),
    )
}

/// The extractor refuses with 401 JSON by itself.
async fn api_protected(session: Session) -> impl IntoResponse {
    Json(json!({ "message": "only for people who are signed in", "user": session.user }))
}

async fn whoami(session: Option<Session>) -> Json<Option<Session>> {
    Json(session)
}

async fn api_token(token: Option<Token>) -> Json<Option<Claims>> {
    Json(token.map(|token| token.claims))
}

fn page(title: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1>{content}</main></html>"
    ))
}

const STYLE: &str = "\
    :root{color-scheme:light dark}\
    body{font:1rem/1.6 system-ui,sans-serif;margin:0;padding:3rem 1.25rem}\
    main{max-width:40rem;margin:auto}\
    a{color:#346df1}a+a{margin-left:1rem}\
    .button{display:inline-block;padding:.5rem 1rem;border-radius:.5rem;background:#346df1;color:#fff;text-decoration:none}";

/// Text from a session inside HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
