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
//! | `AUTH_URL` | the public origin; by default `http://127.0.0.1:PORT` and `http://localhost:PORT` |
//! | `AUTH_SECRET` | the secret; by default a new one at each start |
//! | `AUTH_COMPAT` | `v3`, `v4` (default) or `v5`: which generation of clients is served |
//! | `SESSION_STRATEGY` | `jwt` (default) or `database`: where sessions live |
//! | `SESSION_MAX_AGE` | lifetime of a session in seconds, 30 days by default |
//! | `SESSION_UPDATE_AGE` | seconds after which a read extends it, a day by default |
//! | `DATABASE_URL` | where users and sessions are kept, such as `sqlite://demo.db` (feature `sqlite`); forgotten with the process by default |
//! | `OIDC_ISSUER`, `OIDC_CLIENT_ID`, `OIDC_CLIENT_SECRET` | sign-in at a provider of OpenID Connect (feature `oauth`) |
//! | `SMTP_URL`, `EMAIL_FROM` | sign-in by a mailed link (feature `smtp`), with `DATABASE_URL` |
//! | `EMAIL_MAX_AGE` | how long a link is good in seconds, a day by default |
//! | `RUST_LOG` | what is logged, `info` by default |

use std::{env, str::FromStr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    response::{Html, IntoResponse},
    routing::get,
};
use portcullis::{
    Auth, AuthBuilder, AuthLayer, BoxError, Claims, Credentials, Dialect, Field, JwtContext, Lifetime,
    OriginPolicy, RequireAuth, Secret, Session, SessionContext, Submitted, Token, Trigger, User,
    store::{self, MemoryStore, Store},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

type Result<T, E = BoxError> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let port: u16 = number("PORT")?.unwrap_or(3000);
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    let port = listener.local_addr()?.port();
    let auth = configure(origin(port)?).await?;
    let _sweep = auth.sweep_every(Duration::from_secs(600));
    print!("{}", auth.startup_report());
    println!("open http://127.0.0.1:{port} and sign in as jsmith or admin: the password of both is hunter2");
    axum::serve(listener, app(auth)).await?;
    Ok(())
}

/// The configured origin, or both names that this machine has for itself.
fn origin(port: u16) -> Result<OriginPolicy> {
    Ok(match variable("AUTH_URL") {
        Some(url) => OriginPolicy::fixed(&url)?,
        None => OriginPolicy::allow_list([
            format!("http://127.0.0.1:{port}").as_str(),
            format!("http://localhost:{port}").as_str(),
        ])?,
    })
}

async fn configure(origin: OriginPolicy) -> Result<Auth> {
    let dialect = match variable("AUTH_COMPAT").as_deref() {
        None | Some("v4") => Dialect::V4,
        Some("v3") => Dialect::V3,
        Some("v5") => Dialect::V5,
        Some(other) => return Err(format!("AUTH_COMPAT is {other:?}: set it to v3, v4 or v5").into()),
    };
    let day = Duration::from_secs(24 * 60 * 60);
    let max_age = number("SESSION_MAX_AGE")?.map_or(30 * day, Duration::from_secs);
    let update_age = number("SESSION_UPDATE_AGE")?.map_or(day, Duration::from_secs);
    let builder = Auth::builder(secret()?)
        .origin(origin)
        .dialect(dialect)
        .lifetime(Lifetime::new(max_age, update_age.min(max_age))?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username").placeholder("jsmith"))
                .field(Field::password("password", "Password")),
        )
        .on_jwt(into_token)
        .on_session(into_session);
    Ok(with_mail(with_store(with_provider(builder)?).await?)?.build()?)
}

/// Users, and sessions if they are to live there.
async fn with_store(builder: AuthBuilder) -> Result<AuthBuilder> {
    let in_store = match variable("SESSION_STRATEGY").as_deref() {
        None | Some("jwt") => false,
        Some("database") => true,
        Some(other) => {
            return Err(format!("SESSION_STRATEGY is {other:?}: set it to jwt or database").into());
        }
    };
    let store: Arc<dyn Store> = match variable("DATABASE_URL") {
        Some(url) => store::connect(&url).await.map_err(|error| format!("DATABASE_URL: {error:?}"))?,
        None if in_store => Arc::new(MemoryStore::new()),
        None => return Ok(builder),
    };
    Ok(builder.store(store).sessions_in_tokens(!in_store))
}

/// Sign-in at a provider of OpenID Connect, where one is named.
fn with_provider(builder: AuthBuilder) -> Result<AuthBuilder> {
    let Some(issuer) = variable("OIDC_ISSUER") else { return Ok(builder) };
    match (variable("OIDC_CLIENT_ID"), variable("OIDC_CLIENT_SECRET")) {
        (Some(id), Some(secret)) => provider_at(builder, &issuer, &id, &secret),
        _ => Err("OIDC_ISSUER is set: set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, too".into()),
    }
}

#[cfg(feature = "oauth")]
fn provider_at(builder: AuthBuilder, issuer: &str, id: &str, secret: &str) -> Result<AuthBuilder> {
    Ok(builder.provider(portcullis::OAuth::oidc("oidc", issuer, id, secret).with_name("OIDC")))
}

#[cfg(not(feature = "oauth"))]
fn provider_at(_: AuthBuilder, _: &str, _: &str, _: &str) -> Result<AuthBuilder> {
    Err("OIDC_ISSUER is set: run the demo with `--features oauth`".into())
}

/// Links by mail, where there is somebody who sends them and a store for their tokens.
fn with_mail(builder: AuthBuilder) -> Result<AuthBuilder> {
    let Some(server) = variable("SMTP_URL") else { return Ok(builder) };
    match (variable("EMAIL_FROM"), variable("DATABASE_URL")) {
        (Some(from), Some(_)) => mail_through(builder, &server, &from),
        (None, _) => Err("SMTP_URL is set: set EMAIL_FROM, too".into()),
        // The suite says so for its runs without a database.
        (_, None) => {
            println!("SMTP_URL is set: links by mail need DATABASE_URL, too, such as memory:");
            Ok(builder)
        }
    }
}

#[cfg(feature = "smtp")]
fn mail_through(builder: AuthBuilder, server: &str, from: &str) -> Result<AuthBuilder> {
    let day = 24 * 60 * 60;
    let max_age = Duration::from_secs(number("EMAIL_MAX_AGE")?.unwrap_or(day));
    let mailer = portcullis::mail::SmtpMailer::new(server, from)?;
    Ok(builder.provider(portcullis::Email::new(mailer).max_age(max_age)))
}

#[cfg(not(feature = "smtp"))]
fn mail_through(_: AuthBuilder, _: &str, _: &str) -> Result<AuthBuilder> {
    Err("SMTP_URL is set: run the demo with `--features smtp`".into())
}

/// The configured secret, or one for this run.
fn secret() -> Result<Secret> {
    if env::vars().any(|(name, value)| {
        (name.starts_with("AUTH_SECRET") || name == "NEXTAUTH_SECRET") && !value.is_empty()
    }) {
        return Ok(Secret::from_env()?);
    }
    println!("AUTH_SECRET is not set: using a new one, so sessions in tokens end when this program does");
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
    let id = session.subject().to_owned();
    session.user.insert("id", id);
    if let Some(role) = token.get("role") {
        session.user.insert("role", role.clone());
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
        Some(session) => {
            let user = escaped(session.user.email.as_deref().unwrap_or("nobody"));
            (format!("You are signed in as <b>{user}</b>."), SIGNED_IN_ACTIONS)
        }
        None => ("You are not signed in.".to_owned(), VISITOR_ACTIONS),
    };
    let content = format!(
        "<section class=card><p>{status}</p><p class=actions>{actions}</p></section><h2>Try it</h2>{TO_TRY}"
    );
    page("portcullis demo", &content)
}

const SIGNED_IN_ACTIONS: &str = r#"<a class="button" href="/protected">The protected page</a> <a class="button quiet" href="/api/auth/signout">Sign out</a>"#;

const VISITOR_ACTIONS: &str = r#"<a class="button" href="/api/auth/signin">Sign in</a> <a class="button quiet" href="/protected">The protected page</a>"#;

const TO_TRY: &str = r#"
    <p>Two accounts are waiting: <code>jsmith</code>, and <code>admin</code> with the role of that name.
    The password of both is <code>hunter2</code>.</p>
    <dl class="card">
    <div><dt><a href="/protected">/protected</a></dt><dd>A page for people who are signed in</dd></div>
    <div><dt><a href="/admin">/admin</a></dt><dd>A page for the role <code>admin</code></dd></div>
    <div><dt><a href="/api/protected">/api/protected</a></dt><dd>JSON, and 401 to visitors</dd></div>
    <div><dt><a href="/whoami">/whoami</a></dt><dd>The session as the server has it</dd></div>
    <div><dt><a href="/api/auth/session">/api/auth/session</a></dt><dd>The session as clients see it</dd></div>
    </dl>"#;

async fn protected(session: Session) -> Html<String> {
    members_page("Protected", "Only people who are signed in see this.", &session)
}

async fn admin(session: Session) -> Html<String> {
    members_page("Admin", "Your role lets you see this.", &session)
}

fn members_page(title: &str, text: &str, session: &Session) -> Html<String> {
    let email = escaped(session.user.email.as_deref().unwrap_or_default());
    let content = format!(
        "<section class=card><p>{text} You are <b>{email}</b>.</p>\
         <p class=actions><a class=\"button\" href=\"/\">Back to the start</a> \
         <a class=\"button quiet\" href=\"/api/auth/signout\">Sign out</a></p></section>"
    );
    page(title, &content)
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
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1>{content}</main></html>"
    ))
}

const STYLE: &str = "
    :root{color-scheme:light dark;--ground:#f4f5f8;--surface:#fff;--text:#1b2430;--muted:#56606e;--line:#e1e4ea;--edge:#828b99;--link:#2a5bd7}
    @media (prefers-color-scheme:dark){:root{--ground:#0d0f13;--surface:#171a20;--text:#eceff4;--muted:#a4adba;--line:#2a2f38;--edge:#6f7987;--link:#8bb0ff}}
    *{box-sizing:border-box}
    body{margin:0;padding:clamp(2rem,9vh,6rem) 1rem 3rem;background:var(--ground);color:var(--text);overflow-wrap:anywhere;
        font:1rem/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
    main{max-width:40rem;margin:auto}
    h1{margin:0 0 1.5rem;font-size:2rem;line-height:1.2;letter-spacing:-.02em}
    h2{margin:2.5rem 0 .5rem;font-size:1.25rem;line-height:1.3;letter-spacing:-.01em}
    p{margin:0 0 1rem}
    code{padding:.1em .35em;border:1px solid var(--line);border-radius:.3rem;background:var(--surface);font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
    a{color:var(--link);text-underline-offset:.2em}
    :focus-visible{outline:2px solid var(--text);outline-offset:2px;border-radius:.25rem}
    .card{margin:0;padding:1.5rem;border:1px solid var(--line);border-radius:1rem;background:var(--surface);box-shadow:0 1px 2px rgb(16 24 40/.05)}
    .actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:0}
    .button{display:inline-flex;align-items:center;min-height:2.875rem;padding:.5rem 1.125rem;border:1px solid transparent;border-radius:.625rem;background:#346df1;color:#fff;font-weight:600;text-decoration:none}
    .button:hover{box-shadow:0 0 0 3px rgb(52 109 241/.3)}
    .quiet{border-color:var(--edge);background:none;color:var(--text)}
    .quiet:hover{background:var(--ground);box-shadow:none}
    .button:focus-visible{border-radius:.625rem}
    dl.card{padding:.25rem 1.5rem}
    dl div{display:grid;grid-template-columns:12rem minmax(0,1fr);align-items:center;gap:0 1rem;padding:.25rem 0}
    dl div+div{border-top:1px solid var(--line)}
    dt a{display:inline-flex;align-items:center;min-height:2.75rem;font-weight:500}
    dd{margin:0;color:var(--muted)}
    @media (max-width:32rem){.button{flex:1 0 auto;justify-content:center}.card{padding:1.25rem}dl.card{padding:.25rem 1.25rem}
        dl div{grid-template-columns:minmax(0,1fr);padding:.25rem 0 .75rem}}";

/// Text from a session inside HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn number<N: FromStr>(name: &str) -> Result<Option<N>> {
    let parse = |text: String| text.parse().map_err(|_| format!("{name} is {text:?}: it has to be a number"));
    Ok(variable(name).map(parse).transpose()?)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
