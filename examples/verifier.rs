//! A service that reads the sessions of another site and makes none. It knows the site's secret and nothing else.
//!
//! ```sh
//! AUTH_SECRET=the-secret-of-the-site cargo run --example verifier
//! ```
//!
//! The site may be a Next.js application, or the demo of this crate with the same `AUTH_SECRET`. Sign in there, and open
//! <http://127.0.0.1:3001/me> under the same host name: browsers send a site's cookies to all of its ports. Programs
//! send the value of the session cookie as `Authorization: Bearer`.

use axum::{Json, Router, routing::get};
use portcullis::{Auth, AuthLayer, BoxError, Claims, RequireAuth, Secret, Session, Token};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = Auth::verifier(Secret::from_env()?).build()?;

    let app = Router::new()
        .route("/me", get(me))
        .route("/claims", get(claims))
        .route("/reports", get(async || "all of them").layer(RequireAuth::role("admin")))
        .layer(AuthLayer::new(auth));

    let port: u16 = std::env::var("PORT").map_or(Ok(3001), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/me", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// What clients of the site see of the session.
async fn me(session: Session) -> Json<Session> {
    Json(session)
}

/// All that the token holds.
async fn claims(token: Token) -> Json<Claims> {
    Json(token.claims)
}
