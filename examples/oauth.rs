//! Sign-in at other sites, and sign-out there, too.
//!
//! ```sh
//! cargo run --example oauth --features oauth
//! ```
//!
//! Nothing has to be set: then three providers on this machine are used, which believe whatever is clicked. For real ones set
//! what they have given, as many as there are: `AUTH_GITHUB_ID` and `AUTH_GITHUB_SECRET`, `AUTH_GOOGLE_ID` and
//! `AUTH_GOOGLE_SECRET`, or `AUTH_KEYCLOAK_ID`, `AUTH_KEYCLOAK_SECRET` and `AUTH_KEYCLOAK_ISSUER`. Register
//! `http://localhost:3000/api/auth/callback/github` (`google`, `keycloak`) as the redirect URI there. `PORT` is another
//! port than 3000, `AUTH_SECRET` a secret that is not a new one at each start.
//!
//! Users, their sessions and the tokens that providers gave are in a store, so a sign-out can say at the provider whose it
//! is: those here print it, Keycloak wants `http://localhost:3000` as "Valid post logout redirect URI". What else the tokens
//! are good for shows the example `provider_tokens`.
//!
//! A program that is no browser signs in here, too: `cargo run --example client --features client -- http://localhost:3000
//! --at acorn`. Off unless a site asks for it, for reasons that stand in `docs/client.md`.

mod local_provider;

use std::env;

use axum::{Router, response::Html, routing::get};
use portcullis::{
    Auth, AuthLayer, BoxError, ConfigError, OAuth, OriginPolicy, Secret, Session,
    preset::{GitHub, Google, Keycloak},
    store::MemoryStore,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // why a sign-in was refused stands there

    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    let port = listener.local_addr()?.port();

    let mut providers = configured()?;
    if providers.is_empty() {
        for name in ["Acorn", "Birch", "Cedar"] {
            let (provider, _) = local_provider::start(name, 3600).await?;
            providers.push(provider.federated_logout());
        }
    }
    let names = [format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")];
    let origin = OriginPolicy::allow_list(names.iter().map(String::as_str))?;
    let mut builder = Auth::builder(secret()?)
        .origin(origin)
        .store(MemoryStore::new()) // in life a database
        .seal_provider_tokens(true)
        .native_clients(true); // for the example `client`
    for provider in providers {
        builder = builder.provider(provider);
    }
    let auth = builder.build()?;

    println!("open http://localhost:{port}");
    let app = Router::new().route("/", get(home)).layer(AuthLayer::new(auth));
    axum::serve(listener, app).await?;
    Ok(())
}

/// Those whose variables are set.
fn configured() -> Result<Vec<OAuth>, ConfigError> {
    let is_set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    let mut providers = Vec::new();
    if is_set("AUTH_GITHUB_ID") {
        providers.push(GitHub::from_env()?);
    }
    if is_set("AUTH_GOOGLE_ID") {
        providers.push(Google::from_env()?);
    }
    if is_set("AUTH_KEYCLOAK_ID") {
        providers.push(Keycloak::from_env()?.federated_logout());
    }
    Ok(providers)
}

async fn home(session: Option<Session>) -> Html<String> {
    let content = match session.and_then(|session| session.user.name) {
        Some(name) => {
            let name = name.replace('&', "&amp;").replace('<', "&lt;");
            format!("<p>You are {name}.</p><p><a href=\"/api/auth/signout\">Sign out</a></p>")
        }
        None => "<p>You are nobody.</p><p><a href=\"/api/auth/signin\">Sign in</a></p>".to_owned(),
    };
    Html(format!("<!doctype html><title>Providers</title><h1>Providers</h1>{content}"))
}

/// The configured secret, or one for this run.
fn secret() -> Result<Secret, BoxError> {
    if env::var("AUTH_SECRET").is_ok_and(|secret| !secret.is_empty()) {
        return Ok(Secret::from_env()?);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(bytes))
}
