//! A program that signs in, reads its session, changes it and signs out: `getSession`, `signIn`, `update` and `signOut`.
//!
//! ```sh
//! cargo run --example client --features client
//! ```
//!
//! Nothing has to be set: then it brings the site with it. With the URL of one, such as the demo, it signs in there:
//!
//! ```sh
//! cargo run --example client --features client -- http://localhost:3000
//! ```
//!
//! | after the `--` | |
//! |---|---|
//! | `--keep FILE` | keeps its cookies in this file and stays signed in; the next start goes on, and signs out |
//! | `--at PROVIDER` | signs in at this provider, such as `github`, in the user's browser; `acorn` of the example `oauth` |
//!
//! `NAME` and `PASSWORD` are of another user than `jsmith` with `hunter2`.

mod local_site;

use std::{
    env, io,
    process::{Command, Stdio},
};

use portcullis::{
    BoxError, SessionUser,
    client::{Client, CookieJar, JarFile, NativeSignIn, SignInOptions, SignOutOptions},
};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Why a jar could not be saved stands there.
    tracing_subscriber::fmt().with_env_filter("portcullis::client=warn").with_writer(io::stderr).init();
    let Wanted { url, keep, provider } = Wanted::of(env::args().skip(1))?;
    let url = match url {
        Some(url) => url,
        None => local_site::start().await?,
    };
    let jar = match &keep {
        Some(file) => CookieJar::open(JarFile::new(file)).await?,
        None => CookieJar::new(),
    };
    let client = Client::builder(url).jar(jar).build()?;

    let found = client.get_session().await?;
    if found.is_none() {
        println!("nobody is signed in");
        match provider {
            Some(provider) => sign_in_at(&client, &provider).await?,
            None => sign_in(&client).await?,
        }
    }
    let session = client.get_session().await?.ok_or("the sign-in has left no session")?;
    let end = session.expires.map_or("it is ended".to_owned(), |end| end.to_string());
    let still = if found.is_some() { "still " } else { "" };
    println!("{still}signed in as {} until {end}", told(&session.user));

    let updated = client.update(json!({ "name": "John Smith" })).await?;
    let updated = updated.ok_or("the session has ended")?;
    println!("after the update: {}", told(&updated.user));

    if let (Some(file), None) = (keep, found) {
        println!("stays signed in, by the cookies in {file}");
        return Ok(());
    }
    let next = client.sign_out(SignOutOptions::new()).await?;
    println!("signed out; a browser would go to {next}");
    Ok(())
}

/// With the form of the demo.
async fn sign_in(client: &Client) -> Result<(), BoxError> {
    let value = |variable, default: &str| env::var(variable).unwrap_or(default.to_owned());
    let form = SignInOptions::new()
        .field("username", value("NAME", "jsmith"))
        .field("password", value("PASSWORD", "hunter2"));
    match client.sign_in("credentials", form, &[]).await?.error() {
        Some(error) => Err(format!("not signed in: {error}").into()),
        None => Ok(()),
    }
}

/// At a provider, which asks for the password itself.
async fn sign_in_at(client: &Client, provider: &str) -> Result<(), BoxError> {
    let outcome = client.sign_in_native(NativeSignIn::at(provider), open).await?;
    match outcome.error {
        Some(error) => Err(format!("not signed in: {error}").into()),
        None => Ok(()),
    }
}

/// Opens the user's browser, if there is one.
fn open(url: &str) -> Result<(), BoxError> {
    println!("open {url}");
    let (program, arguments): (_, &[&str]) = match env::consts::OS {
        "windows" => ("rundll32", &["url.dll,FileProtocolHandler"]), // `start` would take the URL apart at each `&`.
        "macos" => ("open", &[]),
        _ => ("xdg-open", &[]),
    };
    let opened = Command::new(program).args(arguments).arg(url).stdout(Stdio::null()).spawn();
    if let Err(error) = opened {
        println!("{program}: {error}; open it yourself");
    }
    Ok(())
}

fn told(user: &SessionUser) -> &str {
    user.name.as_deref().or(user.email.as_deref()).unwrap_or("somebody without a name")
}

/// What stands in the command line.
#[derive(Default)]
struct Wanted {
    url: Option<String>,
    keep: Option<String>,
    provider: Option<String>,
}

impl Wanted {
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let mut wanted = Self::default();
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--keep" => wanted.keep = Some(arguments.next().ok_or("--keep: name a file")?),
                "--at" => wanted.provider = Some(arguments.next().ok_or("--at: name a provider")?),
                _ if argument.starts_with('-') => {
                    return Err(format!("{argument}: there are --keep FILE and --at PROVIDER").into());
                }
                _ => wanted.url = Some(argument),
            }
        }
        Ok(wanted)
    }
}
