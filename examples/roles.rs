//! Who may do what: a guard over all routes, over some paths, over one route, and in a handler's signature.
//!
//! ```sh
//! AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000 cargo run --example roles
//! ```
//!
//! Then open <http://localhost:3000/team> and sign in as `jsmith` or `admin`, with the password `hunter2`.

use std::time::Duration;

use axum::{
    Router,
    routing::{get, post},
};
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Credentials, Field, JwtContext, Require, RequireAuth, Requirement,
    Secret, Submitted, User, guard::Rule,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = Auth::builder(Secret::from_env()?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .on_jwt(keep_role)
        .record_auth_time(true) // for fresh_within
        .build()?;

    let app = Router::new()
        .route("/", get(async || "this page is for everybody"))
        .route("/team", get(async || "this one for who is signed in"))
        .route("/team/admin", get(async || "this one for admins"))
        // On one route: an admin who has signed in within the last five minutes.
        .route("/team/admin/purge", post(async || "purged").layer(RequireAuth::new(recently())))
        // In the signature: this handler cannot be mounted without its guard.
        .route("/team/admin/audit", get(audit))
        // Over paths, as the matcher of Next.js.
        .layer(RequireAuth::role("admin").matching(["/team/admin/:path*"]))
        .layer(RequireAuth::signed_in().matching(["/team/:path*"]))
        .layer(AuthLayer::new(auth));

    let port: u16 = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/team", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn recently() -> Rule {
    let not_suspended = !Rule::claim("suspended", true);
    Rule::all([Rule::role("admin"), not_suspended, Rule::fresh_within(Duration::from_secs(300))])
}

struct Admin;

impl Requirement for Admin {
    fn permits(claims: &Claims) -> bool {
        claims.has_role("admin")
    }
}

async fn audit(admin: Require<Admin>) -> String {
    format!("nothing happened yet, {}", admin.user.name.as_deref().unwrap_or_default())
}

async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    Ok(match (form.get("username"), form.get("password")) {
        (Some("jsmith"), Some("hunter2")) => Some(User::new("1").name("J Smith").with("role", "user")),
        (Some("admin"), Some("hunter2")) => Some(User::new("2").name("Admin").with("role", "admin")),
        _ => None,
    })
}

/// Guards look at the token, so the role has to be in it.
async fn keep_role(JwtContext { mut token, user, .. }: JwtContext) -> Result<Option<Claims>, BoxError> {
    if let Some(role) = user.as_ref().and_then(|user| user.get_str("role")) {
        token.insert("role", role);
    }
    Ok(Some(token))
}
