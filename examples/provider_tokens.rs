//! Asks a provider on behalf of whoever is signed in, with a token that is refreshed when it is due.
//!
//! ```sh
//! cargo run --example provider_tokens --features oauth
//! ```
//!
//! Open <http://localhost:3000>, sign in, and reload the page now and then: the tokens of the provider, which runs on
//! this machine, last for 70 seconds, and in the last quarter of that a newer one is asked for. `PORT` is another port
//! than 3000.

mod local_provider;

use std::env;

use axum::{Router, extract::State, response::Html, routing::get};
use bytes::Bytes;
use http::{Request, header::AUTHORIZATION};
use portcullis::{
    Auth, AuthContext, AuthLayer, BoxError, OriginPolicy, ProviderTokenErrorKind, Secret,
    http_client::{HttpClient, HyperClient},
    store::MemoryStore,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[derive(Clone)]
struct App {
    client: HyperClient,
    /// What the provider says of whoever the token stands for.
    profile_url: String,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // what the log is told when a page says nothing

    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    let port = listener.local_addr()?.port();

    let (provider, profile_url) = local_provider::start("Acorn", 70).await?;
    let names = [format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")];
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let auth = Auth::builder(Secret::new(secret))
        .origin(OriginPolicy::allow_list(names.iter().map(String::as_str))?)
        .provider(provider)
        .store(MemoryStore::new()) // where the tokens are; in life a database
        .seal_provider_tokens(true)
        .build()?;

    println!("open http://localhost:{port}");
    let state = App { client: HyperClient::new()?, profile_url };
    let app = Router::new().route("/", get(home)).with_state(state).layer(AuthLayer::new(auth));
    axum::serve(listener, app).await?;
    Ok(())
}

async fn home(State(app): State<App>, auth: AuthContext) -> Html<String> {
    let content = match ask(&app, &auth).await {
        Ok(Some(answer)) => {
            format!("<p>The provider says: <code>{}</code></p>", answer.replace('<', "&lt;"))
        }
        Ok(None) => "<p><a href=\"/api/auth/signin\">Sign in</a></p>".to_owned(),
        Err(error) => format!("<p>{}</p>", error.to_string().replace('<', "&lt;")),
    };
    Html(format!("<!doctype html><title>Provider tokens</title><h1>Provider tokens</h1>{content}"))
}

/// However many pages ask at once: the provider is asked for one newer token. `None` if somebody has to sign in first.
async fn ask(app: &App, auth: &AuthContext) -> Result<Option<String>, BoxError> {
    use ProviderTokenErrorKind::{NotSignedIn, SignInAgain};
    let token = match auth.provider_token("acorn").await {
        Ok(token) => token,
        Err(error) if matches!(error.kind(), NotSignedIn | SignInAgain) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let request = Request::get(&app.profile_url)
        .header(AUTHORIZATION, format!("Bearer {}", token.access_token))
        .body(Bytes::new())?;
    let response = app.client.send(request).await?;
    let until = token.expires_at.map_or("ever".to_owned(), |end| end.to_string());
    let answer = String::from_utf8_lossy(response.body());
    Ok(Some(format!("{answer} (the token is good until {until})")))
}
