//! A service beside a Next.js site: whoever is signed in there is signed in here. The two share a secret and
//! nothing else; the site stays as it is.
//!
//! With the secret of the site, its `AUTH_SECRET` or `NEXTAUTH_SECRET`, character for character:
//!
//! ```sh
//! AUTH_SECRET=f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P cargo run --example beside_nextjs
//! ```
//!
//! Sign in at the site, say at <http://localhost:3000>, then open <http://localhost:4000/api/me>: cookies do not
//! look at the port. In production browsers send the cookie to the host of the site only, so both stand behind
//! one: a path of the proxy, or `rewrites` in `next.config.js`. What is no browser sends the same token as
//! `Authorization: Bearer`.

use axum::{Json, Router, routing::get};
use portcullis::{Auth, AuthLayer, BoxError, Claims, RequireAuth, Secret, Session, Token};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = Auth::verifier(Secret::from_env()?).build()?;
    let port: u16 = std::env::var("PORT").map_or(Ok(4000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/api/greeting", listener.local_addr()?);
    axum::serve(listener, app(auth)).await?;
    Ok(())
}

/// Public for the test that runs it beside a real site.
pub fn app(auth: Auth) -> Router {
    Router::new()
        .route("/api/greeting", get(greeting))
        .route("/api/me", get(me))
        // The claim `role`, if the site's `jwt` callback puts one into the token.
        .route("/api/admin", get(admin).layer(RequireAuth::role("admin")))
        .layer(AuthLayer::new(auth))
}

/// For everyone.
async fn greeting(session: Option<Session>) -> String {
    match session {
        Some(session) => format!("welcome back, {}", session.user.name.unwrap_or_default()),
        None => "welcome".to_owned(),
    }
}

/// 401 if nobody is signed in.
async fn me(session: Session) -> Json<Value> {
    Json(json!({ "id": session.subject(), "name": session.user.name, "email": session.user.email }))
}

/// All that the site wrote into the token.
async fn admin(token: Token) -> Json<Claims> {
    Json(token.claims)
}
