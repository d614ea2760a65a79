//! Sign-in by mail: a link that asks before it signs in, and a code for who reads the mail on another device.
//!
//! ```sh
//! cargo run --example email
//! ```
//!
//! Nothing has to be set: the mail is printed. Open <http://127.0.0.1:3000>. With the feature `smtp`,
//! `EMAIL_SERVER=smtp://user:password@host:587` and `EMAIL_FROM=no-reply@app.example` it is sent. `PORT` is another port,
//! `AUTH_SECRET` a secret that is not a new one at each start.

use std::{env, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::map_request,
    response::Html,
    routing::get,
};
use portcullis::{
    Auth, AuthLayer, BoxError, Email, OriginPolicy, PeerAddr, Secret, Session,
    mail::{ConsoleMailer, Mailer},
    store::MemoryStore,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // what the log is told when a page says nothing

    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    let origin = format!("http://127.0.0.1:{}", listener.local_addr()?.port());

    let email = Email::new(mailer()?)
        .max_age(Duration::from_secs(60 * 60))
        .confirm(true) // programs that look into mail use nothing up
        .code(true); // for ten minutes and ten attempts
    let auth = Auth::builder(secret()?)
        .origin(OriginPolicy::fixed(&origin)?)
        .store(MemoryStore::new()) // forgotten with the process; see the example `sqlite`
        .provider(email)
        .build()?;
    let _sweep = auth.sweep_every(Duration::from_secs(600));
    print!("{}", auth.startup_report());

    let app = Router::new().route("/", get(home)).layer(AuthLayer::new(auth)).layer(map_request(with_peer));
    println!("open {origin}");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// One that sends, if it is told where; else one that prints.
fn mailer() -> Result<Arc<dyn Mailer>, BoxError> {
    #[cfg(feature = "smtp")]
    if env::var_os("EMAIL_SERVER").is_some() {
        return Ok(Arc::new(portcullis::mail::SmtpMailer::from_env()?));
    }
    Ok(Arc::new(ConsoleMailer))
}

/// Says who sends a request, so that nobody can ask for mail without end.
async fn with_peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(PeerAddr(peer.ip()));
    request
}

async fn home(session: Option<Session>) -> Html<String> {
    Html(match session.and_then(|session| session.user.email) {
        Some(email) => {
            let email = email.replace('&', "&amp;").replace('<', "&lt;");
            format!("<!doctype html><p>you are {email}</p><a href=/api/auth/signout>Sign out</a>")
        }
        None => "<!doctype html><p>nobody</p><a href=/api/auth/signin>Sign in</a>".to_owned(),
    })
}

/// The configured one, or one for this run.
fn secret() -> Result<Secret, BoxError> {
    if env::var("AUTH_SECRET").is_ok_and(|secret| !secret.is_empty()) {
        return Ok(Secret::from_env()?);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(bytes))
}
