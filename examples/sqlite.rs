//! Users and sessions in a file: a page that lists one's sessions and ends them.
//!
//! ```sh
//! cargo run --example sqlite --features sqlite
//! ```
//!
//! Nothing has to be set. Open <http://127.0.0.1:3000> in two browsers, sign in as `jsmith` with the password
//! `hunter2`, and end one session from the other. `DATABASE_URL` is another file than `sqlite://auth.db`, `PORT`
//! another port, `AUTH_SECRET` a secret that is not a new one at each start.

use std::{env, time::Duration};

use axum::{
    Form, Router,
    response::{Html, Redirect},
    routing::{get, post},
};
use portcullis::{
    Auth, AuthContext, AuthLayer, AuthRejection, BoxError, Client, Credentials, Field, OriginPolicy,
    RequireAuth, Secret, Session, SessionError, SessionInfo, Submitted, User, store::SqliteStore,
};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower_http::csrf::CsrfLayer;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // what the log is told when a page says nothing

    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    let port = listener.local_addr()?.port();

    let url = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let url = url.unwrap_or_else(|| "sqlite://auth.db".to_owned());
    let store = SqliteStore::connect(&url).await; // makes the file and its tables
    let store = store.map_err(|error| format!("DATABASE_URL: {error:?}"))?;

    let names = [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")];
    let auth = Auth::builder(secret()?)
        .origin(OriginPolicy::allow_list(names.iter().map(String::as_str))?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .store(store)
        .record_clients(Client::of_request)
        .build()?;
    let _sweep = auth.sweep_every(Duration::from_secs(600)); // for as long as it is kept
    print!("{}", auth.startup_report());

    let app = Router::new()
        .route("/sessions", get(list))
        .route("/sessions/end", post(end))
        .route("/sessions/end-others", post(end_others))
        .route_layer(RequireAuth::signed_in())
        .route("/", get(home))
        .layer(CsrfLayer::new()) // the forms are ours, so their protection is, too
        .layer(AuthLayer::new(auth));
    println!("open {}/sessions", names[0]);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Compare with a password hash here. The id is this list's: the store makes a user for it at the first sign-in.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
}

/// The configured one, or one for this run. It seals no sessions, since those are in the file: a restart with
/// another one only spoils sign-in forms that are open meanwhile.
fn secret() -> Result<Secret, BoxError> {
    if env::var("AUTH_SECRET").is_ok_and(|secret| !secret.is_empty()) {
        return Ok(Secret::from_env()?);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(bytes))
}

async fn home(session: Option<Session>) -> Redirect {
    Redirect::to(if session.is_some() { "/sessions" } else { "/api/auth/signin?callbackUrl=/sessions" })
}

async fn list(auth: AuthContext, session: Session) -> Result<Html<String>, AuthRejection> {
    let name = escaped(session.user.name.as_deref().unwrap_or("you"));
    let rows: String = auth.sessions().await?.iter().map(row).collect();
    Ok(Html(format!(
        "<!doctype html><meta charset=utf-8><title>Sessions</title><h1>Where {name} is signed in</h1>\
         <ul>{rows}</ul><form method=post action=/sessions/end-others><button>End all others</button></form>\
         <p><a href=/api/auth/signout>Sign out here</a>"
    )))
}

fn row(session: &SessionInfo) -> String {
    let agent = escaped(session.user_agent.as_deref().unwrap_or("an unknown program"));
    let since = session.created.map_or_else(String::new, |at| format!(", since {at}"));
    if session.current {
        return format!("<li>{agent}{since}: this one");
    }
    let handle = &session.handle; // names the session and opens none
    format!(
        "<li>{agent}{since} <form method=post action=/sessions/end>\
         <button name=handle value=\"{handle}\">End</button></form>"
    )
}

#[derive(Deserialize)]
struct Chosen {
    handle: String,
}

/// A handle of somebody else's session finds nothing.
async fn end(auth: AuthContext, Form(chosen): Form<Chosen>) -> Result<Redirect, SessionError> {
    auth.end_session(&chosen.handle).await?;
    Ok(Redirect::to("/sessions"))
}

async fn end_others(auth: AuthContext) -> Result<Redirect, SessionError> {
    auth.end_other_sessions().await?;
    Ok(Redirect::to("/sessions"))
}

/// What a browser sent, inside of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
