//! Sign-in without a web framework: the layer over a function, served by hyper.
//!
//! ```sh
//! AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000 cargo run --example hyper --no-default-features
//! ```
//!
//! Then open <http://localhost:3000>.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use portcullis::{
    Auth, AuthLayer, BoxError, Credentials, Field, Secret, SessionError, Submitted, User, get_server_session,
};
use tower::{Layer, service_fn};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = Auth::builder(Secret::from_env()?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .build()?;
    let service = AuthLayer::new(auth).layer(service_fn(answer));

    let port: u16 = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            // HTTP/1 and HTTP/2 alike. An error is a browser that went away.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let page = match page(&request) {
        Ok(page) => page,
        Err(error) => {
            let mut response = Response::new(Full::from(error.to_string()));
            *response.status_mut() = error.status();
            return Ok(response);
        }
    };
    let mut response = Response::new(Full::from(page));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
    Ok(response)
}

fn page(request: &Request<Incoming>) -> Result<&'static str, SessionError> {
    Ok(match get_server_session(request)? {
        Some(_) => "you are signed in: <a href=/api/auth/signout>sign out</a>",
        None => "nobody is signed in: <a href=/api/auth/signin>sign in</a> (jsmith, hunter2)",
    })
}

/// Compare with a password hash here.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith")))
}
