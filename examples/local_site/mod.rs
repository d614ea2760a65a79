//! A site on this machine, for examples of clients that are to run before there is one: the sign-in of the demo, without its
//! pages.

use axum::Router;
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Credentials, Field, JwtContext, OriginPolicy, Secret, Session,
    SessionContext, Submitted, User,
};
use tokio::net::TcpListener;

/// Starts it, and answers its URL. It ends with the program.
pub async fn start() -> Result<String, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let auth = Auth::builder(Secret::new(secret))
        .origin(OriginPolicy::fixed(&url)?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .on_jwt(into_token)
        .on_session(into_session)
        .build()?;
    let site = Router::new().layer(AuthLayer::new(auth));
    tokio::spawn(async move { axum::serve(listener, site).await });
    Ok(url)
}

async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
}

/// A client may ask for another name.
async fn into_token(
    JwtContext { mut token, session: asked, .. }: JwtContext,
) -> Result<Option<Claims>, BoxError> {
    if let Some(name) = asked.as_ref().and_then(|data| data.get("name")?.as_str()) {
        token.insert("name", name);
    }
    Ok(Some(token))
}

/// What an update is answered with was made of the token before it, as in Auth.js.
async fn into_session(
    SessionContext { mut session, token, .. }: SessionContext,
) -> Result<Session, BoxError> {
    session.user.name = token.get_str("name").map(str::to_owned);
    Ok(session)
}
