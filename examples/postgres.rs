//! Users and sessions in PostgreSQL, in tables that Auth.js has made and goes on using.
//!
//! ```sh
//! export AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000
//! DATABASE_URL=postgres://user:password@localhost/app cargo run --example postgres --features postgres
//! ```
//!
//! Then open <http://localhost:3000/me>, or come with the session cookie of the Next.js application. In an empty
//! database the tables are made: those of `@auth/pg-adapter`, with the keys and indexes that it leaves out.

use std::{env, time::Duration};

use axum::{Json, Router, routing::get};
use portcullis::{
    Auth, AuthContext, AuthLayer, AuthRejection, BoxError, Credentials, Dialect, Field, RequireAuth, Secret,
    Session, SessionError, SessionIds, Submitted, User,
    store::{PostgresStore, SqlOptions, Tables},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // what the log is told when a page says nothing

    let store = PostgresStore::connect_with(&database_url()?, options()).await;
    let store = store.map_err(|error| format!("DATABASE_URL: {error:?}"))?;

    let auth = Auth::builder(Secret::from_env()?)
        .dialect(Dialect::V5) // of the site: it names the cookie. V4 for next-auth 4.
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .store(store)
        .session_ids(SessionIds::Raw) // as Node keeps them; without Node leave this out
        .build()?;
    let _sweep = auth.sweep_every(Duration::from_secs(600));
    // Says what the tables lack, and what that costs.
    print!("{}", auth.startup_report());

    let app = Router::new()
        .route("/me", get(me))
        .route("/sessions", get(sessions).delete(end_others))
        .route_layer(RequireAuth::signed_in())
        .layer(AuthLayer::new(auth));

    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    println!("open http://{}/me", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn database_url() -> Result<String, BoxError> {
    let url = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    url.ok_or_else(|| "DATABASE_URL is not set: set it to postgres://user:password@localhost/app".into())
}

/// Tables that are there are left as they are. `.complete(true)` adds what the report names.
fn options() -> SqlOptions {
    SqlOptions::new().tables(Tables::authjs()) // or Tables::prisma()
}

/// Compare with a password hash here.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
}

async fn me(session: Session) -> String {
    format!("you are {}", session.user.name.unwrap_or_default())
}

/// When a session was begun is known only if the table has a column for it.
async fn sessions(auth: AuthContext) -> Result<Json<Vec<Value>>, AuthRejection> {
    let sessions = auth.sessions().await?.into_iter();
    let shown = sessions.map(|session| {
        json!({
            "handle": session.handle,
            "current": session.current,
            "created": session.created.map(|at| at.to_string()),
            "expires": session.expires.to_string(),
        })
    });
    Ok(Json(shown.collect()))
}

/// In Node as here: it is the row that ends.
async fn end_others(auth: AuthContext) -> Result<&'static str, SessionError> {
    auth.end_other_sessions().await?;
    Ok("nobody else is signed in as you")
}
