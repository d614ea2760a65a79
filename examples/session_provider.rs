//! `SessionProvider`: one client follows a session, while another one over the same jar signs in, updates and signs out.
//!
//! ```sh
//! cargo run --example session_provider --features client
//! ```
//!
//! Nothing has to be set: then it brings the site with it. With the URL of one, such as the demo, it follows a session
//! there:
//!
//! ```sh
//! cargo run --example session_provider --features client -- http://localhost:3000
//! ```

mod local_site;

use std::{env, time::Duration};

use portcullis::{
    BoxError,
    client::{
        Client, CookieJar, SessionProvider, SessionState, SessionStatus, SignInOptions, SignOutOptions,
    },
};
use serde_json::json;
use tokio::sync::watch::Receiver;

#[tokio::main(flavor = "current_thread")] // Nothing changes between the two parts of `select!`.
async fn main() -> Result<(), BoxError> {
    let url = match env::args().nth(1) {
        Some(url) => url,
        None => local_site::start().await?,
    };
    let jar = CookieJar::new();
    let client = Client::builder(&*url).jar(jar.clone()).build()?;
    let provider = SessionProvider::builder(client).refetch_interval(Duration::from_secs(5 * 60)).start()?;
    let other = Client::builder(url).jar(jar).build()?;

    tokio::select! {
        biased; // What has changed is printed before anything else changes.
        ended = follow(provider.use_session()) => ended,
        ended = act(&other, provider.use_session()) => ended,
    }
}

/// Prints what the session is, whenever it is another one. A graphical program would draw it.
async fn follow(mut session: Receiver<SessionState>) -> Result<(), BoxError> {
    loop {
        let SessionState { status, data, error, .. } = session.borrow_and_update().clone();
        match (data, error) {
            (_, Some(error)) => println!("{status}, as far as is known: {error}"),
            (Some(session), None) => {
                println!("{status}: {}", session.user.name.as_deref().unwrap_or("no name"))
            }
            (None, None) => println!("{status}"),
        }
        session.changed().await?;
    }
}

/// What another window of the program may do.
async fn act(client: &Client, mut session: Receiver<SessionState>) -> Result<(), BoxError> {
    session.wait_for(|now| now.status == SessionStatus::Unauthenticated).await?;
    println!("- the other client signs in");
    let form = SignInOptions::new().field("username", "jsmith").field("password", "hunter2");
    if let Some(error) = client.sign_in("credentials", form, &[]).await?.error() {
        return Err(format!("not signed in: {error}").into());
    }

    session.wait_for(|now| now.status == SessionStatus::Authenticated).await?;
    println!("- the other client asks for another name");
    client.update(json!({ "name": "John Smith" })).await?;

    let is_renamed = |now: &SessionState| {
        now.data.as_ref().is_some_and(|session| session.user.name.as_deref() == Some("John Smith"))
    };
    session.wait_for(is_renamed).await?;
    println!("- the other client signs out");
    client.sign_out(SignOutOptions::new()).await?;

    session.wait_for(|now| now.status == SessionStatus::Unauthenticated).await?;
    Ok(())
}
