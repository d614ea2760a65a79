//! Two stores at once: sessions in Redis, users in an SQL database.
//!
//! ```sh
//! export AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000
//! REDIS_URL=redis://127.0.0.1:6379 cargo run --example redis --features redis,sqlite
//! ```
//!
//! Then open <http://localhost:3000/cart> and sign in as `jsmith` with the password `hunter2`. Users are kept in
//! `sqlite://users.db`, unless `DATABASE_URL` says otherwise.

use std::{env, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use portcullis::{
    Auth, AuthContext, AuthLayer, AuthRejection, BoxError, Credentials, Field, RequireAuth, Secret, Session,
    SessionContext, SessionError, Submitted, User,
    store::{RedisStore, SqliteStore},
};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tower_http::csrf::CsrfLayer;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // what the log is told when a page says nothing

    let redis_url = env::var("REDIS_URL").ok().filter(|url| !url.is_empty());
    let redis_url = redis_url
        .ok_or("REDIS_URL is not set: set it to redis://127.0.0.1:6379, or redis+cluster://a:6379,b:6379")?;
    let sessions = RedisStore::connect(&redis_url).await.map_err(|error| format!("REDIS_URL: {error:?}"))?;
    let url = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let url = url.unwrap_or_else(|| "sqlite://users.db".to_owned());
    let users = SqliteStore::connect(&url).await.map_err(|error| format!("DATABASE_URL: {error:?}"))?;

    let auth = Auth::builder(Secret::from_env()?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .store(users)
        .session_store(sessions.namespace("example")) // what its keys begin with
        .on_session(show_items)
        .build()?;
    // Redis drops sessions that are over by itself; this clears the lists of who has which.
    let _sweep = auth.sweep_every(Duration::from_secs(600));
    print!("{}", auth.startup_report());

    let app = Router::new()
        .route("/cart", get(cart))
        .route("/cart/add", post(add))
        .route("/sessions", get(count).delete(end_others))
        .route_layer(RequireAuth::signed_in())
        .layer(CsrfLayer::new()) // the posts are ours, so their protection is, too
        .layer(AuthLayer::new(auth));

    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    println!("open http://{}/cart", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Compare with a password hash here.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
}

/// Puts what is kept with the session where handlers and clients see it.
async fn show_items(SessionContext { mut session, data, .. }: SessionContext) -> Result<Session, BoxError> {
    session.user.insert("items", items_of(&data));
    Ok(session)
}

async fn cart(session: Session) -> String {
    format!("{} in the cart", session.user.get("items").unwrap_or(&Value::Null))
}

/// The closure is called again if another request was faster, so that none of both is lost.
async fn add(auth: AuthContext) -> Result<String, SessionError> {
    let data = auth.change_data(|data| {
        let items = items_of(data) + 1;
        data.insert("items".to_owned(), items.into());
    });
    Ok(data.await?.map_or_else(String::new, |data| format!("{} in the cart now", items_of(&data))))
}

fn items_of(data: &Map<String, Value>) -> u64 {
    data.get("items").and_then(Value::as_u64).unwrap_or(0)
}

async fn count(auth: AuthContext) -> Result<String, AuthRejection> {
    Ok(format!("you are signed in {} times", auth.sessions().await?.len()))
}

async fn end_others(auth: AuthContext) -> Result<&'static str, SessionError> {
    auth.end_other_sessions().await?;
    Ok("nobody else is signed in as you")
}
