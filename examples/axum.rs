//! The shortest service with a sign-in, for reading.
//!
//! ```sh
//! AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000 cargo run --example axum
//! ```
//!
//! Then open <http://localhost:3000/me>.

use axum::{Router, routing::get};
use portcullis::{
    Auth, AuthLayer, BoxError, Credentials, Field, RequireAuth, Secret, Session, Submitted, User,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = Auth::builder(Secret::from_env()?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .build()?;

    let app = Router::new()
        // Refuses in the guard: browsers are sent to the sign-in page.
        .route("/me", get(me).layer(RequireAuth::signed_in()))
        // Refuses in the extractor: 401 JSON.
        .route("/api/me", get(me))
        .route("/", get(home))
        .layer(AuthLayer::new(auth));

    let port: u16 = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/me", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Compare with a password hash here.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
}

async fn me(session: Session) -> String {
    format!("you are {}", session.user.name.unwrap_or_default())
}

async fn home(session: Option<Session>) -> &'static str {
    if session.is_some() { "welcome back" } else { "welcome; see /me" }
}
