//! The application's own types for the session's user and for the token.
//!
//! ```sh
//! AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000 cargo run --example typed_session
//! ```
//!
//! Then open <http://localhost:3000/me>; jsmith's password is `hunter2`.

use axum::{Json, Router, routing::get};
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Credentials, Field, JwtContext, RequireAuth, Secret, Session,
    SessionContext, Submitted, Token, User,
};
use serde::{Deserialize, Serialize};

/// What clients and handlers see of a user. The `session` callback fills it.
#[derive(Serialize, Deserialize)]
struct Member {
    id: u64,
    name: String,
    team: Option<String>,
}

/// What of the token this service looks at. The `jwt` callback puts it there.
#[derive(Serialize, Deserialize)]
struct Permissions {
    sub: String,
    #[serde(default)]
    scopes: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = Auth::builder(Secret::from_env()?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .on_jwt(grant)
        .on_session(show)
        .build()?;

    let app = Router::new()
        .route("/me", get(me).layer(RequireAuth::signed_in().page()))
        .route("/permissions", get(permissions))
        .layer(AuthLayer::new(auth));

    let port: u16 = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/me", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn me(session: Session<Member>) -> String {
    let Member { id, name, team } = session.user;
    format!("member {id}, {name}, of {}", team.as_deref().unwrap_or("no team"))
}

async fn permissions(token: Token<Permissions>) -> Json<Permissions> {
    Json(token.claims)
}

async fn grant(JwtContext { mut token, user, .. }: JwtContext) -> Result<Option<Claims>, BoxError> {
    // There is a user only at a sign-in; a renewal keeps what the token has.
    if user.is_some() {
        token.insert("scopes", vec!["read", "write"]);
        token.insert("team", "support");
    }
    Ok(Some(token))
}

async fn show(SessionContext { mut session, token, .. }: SessionContext) -> Result<Session, BoxError> {
    let id: u64 = session.subject().parse()?;
    session.user.insert("id", id);
    session.user.insert("team", token.get_str("team"));
    Ok(session)
}

async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith")))
}
