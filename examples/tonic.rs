//! One login for pages and gRPC: a server behind the layer, and a client that calls it.
//!
//! ```sh
//! cargo run --example tonic --features tonic
//! ```
//!
//! calls each kind of method once, without and with a session, and ends. With `PORT=50051` it goes on serving, to gRPC and
//! to browsers: people sign in at `/api/auth/signin` (`jsmith`, `hunter2`), and scripts then call the same methods by
//! gRPC-Web. `AUTH_SECRET` and `AUTH_URL` are those of every other example, with defaults.

use std::{env, net::SocketAddr, pin::Pin, time::Duration};

use greeter::{
    Greeting, Reply,
    greeter_client::GreeterClient,
    greeter_server::{Greeter, GreeterServer},
};
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Clock, Credentials, Field, OriginPolicy, RequireAuth, Secret,
    SessionUser, Submitted, SystemClock, Timestamp, User,
    codec::{Codec, JweGcm},
    tonic::{SessionRequestExt, while_signed_in},
};
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Request, Response, Status, Streaming,
    metadata::AsciiMetadataValue,
    transport::{Endpoint, Server},
};
use tonic_web::GrpcWebLayer;
use tower::Layer;

#[path = "proto/greeter.rs"]
#[allow(missing_docs, clippy::all, reason = "generated from proto/greeter.proto")]
mod greeter;

/// How late a stream may notice that its session has ended.
const BOUND: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let secret = match env::var_os("AUTH_SECRET") {
        Some(_) => Secret::from_env()?,
        None => Secret::new(uuid::Uuid::new_v4().to_string()),
    };
    let port = env::var("PORT").ok();
    let goes_on = port.is_some();
    let listener = TcpListener::bind(("127.0.0.1", port.map_or(Ok(0), |port| port.parse())?)).await?;
    let address = listener.local_addr()?;
    let url = env::var("AUTH_URL").unwrap_or_else(|_| format!("http://{address}"));
    let server = tokio::spawn(serve(listener, secret.clone(), OriginPolicy::fixed(&url)?));
    if goes_on {
        println!("serving http://{address}");
        return server.await?;
    }
    call(address, &secret).await
}

async fn serve(listener: TcpListener, secret: Secret, origin: OriginPolicy) -> Result<(), BoxError> {
    // Where people sign in elsewhere, `Auth::verifier(secret).build()?` is all it takes.
    let auth = Auth::builder(secret)
        .origin(origin)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .build()?;
    // All methods want a session; one of them wants an admin.
    let greeter = RequireAuth::role("admin")
        .matching(["/greeter.v1.Greeter/Collect"])
        .layer(GreeterServer::new(Polite));
    let greeter = RequireAuth::signed_in().grpc().layer(greeter);
    Server::builder()
        .accept_http1(true)
        // In this order: gRPC-Web is for methods, and refuses what is no call, such as the sign-in page.
        .layer(AuthLayer::new(auth))
        .layer(GrpcWebLayer::new())
        .add_service(greeter)
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

/// Compare with a password hash here.
async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith")))
}

struct Polite;

type Replies = Pin<Box<dyn Stream<Item = Result<Reply, Status>> + Send>>;

fn reply(text: String) -> Result<Response<Reply>, Status> {
    Ok(Response::new(Reply { text }))
}

#[tonic::async_trait]
impl Greeter for Polite {
    async fn greet(&self, request: Request<Greeting>) -> Result<Response<Reply>, Status> {
        let session = request.session::<SessionUser>()?;
        reply(format!("{} to you, {}", request.get_ref().text, session.user.name.unwrap_or_default()))
    }

    async fn collect(&self, request: Request<Streaming<Greeting>>) -> Result<Response<Reply>, Status> {
        let count = request.into_inner().filter_map(Result::ok).fold(0, |count, _| count + 1).await;
        reply(format!("{count} greetings"))
    }

    type RepeatStream = Replies;

    async fn repeat(&self, request: Request<Greeting>) -> Result<Response<Replies>, Status> {
        // This one may go on for hours: it ends when the session does.
        let watch = request.watch_session(BOUND)?;
        let text = request.into_inner().text;
        let replies =
            tokio_stream::iter(1..=3).map(move |number| Ok(Reply { text: format!("{number}. {text}") }));
        Ok(Response::new(Box::pin(while_signed_in(watch, replies))))
    }

    type ChatStream = Replies;

    async fn chat(&self, request: Request<Streaming<Greeting>>) -> Result<Response<Replies>, Status> {
        let who = request.token::<Claims>()?.subject().unwrap_or_default().into_owned();
        let watch = request.watch_session(BOUND)?;
        let replies = request.into_inner().map(move |greeting| {
            greeting.map(|greeting| Reply { text: format!("{who}: {}", greeting.text) })
        });
        Ok(Response::new(Box::pin(while_signed_in(watch, replies))))
    }
}

async fn call(address: SocketAddr, secret: &Secret) -> Result<(), BoxError> {
    let channel = Endpoint::new(format!("http://{address}"))?.connect().await?;
    let mut visitor = GreeterClient::new(channel.clone());
    if let Err(refused) = visitor.greet(greeting("hello")).await {
        println!("without a session: {:?}, {}", refused.code(), refused.message());
    }

    // What a browser would have in its session cookie.
    let bearer: AsciiMetadataValue = format!("Bearer {}", session_token(secret)?).parse()?;
    let mut user = GreeterClient::with_interceptor(channel, move |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", bearer.clone());
        Ok(request)
    });
    println!("with one: {}", user.greet(greeting("hello")).await?.into_inner().text);

    let mut replies = user.repeat(greeting("good day")).await?.into_inner();
    while let Some(reply) = replies.message().await? {
        println!("stream: {}", reply.text);
    }

    let mut replies = user.chat(tokio_stream::iter([greeting("one"), greeting("two")])).await?.into_inner();
    while let Some(reply) = replies.message().await? {
        println!("chat: {}", reply.text);
    }

    if let Err(refused) = user.collect(tokio_stream::iter([greeting("one")])).await {
        println!("not an admin: {:?}, {}", refused.code(), refused.message());
    }
    Ok(())
}

fn greeting(text: &str) -> Greeting {
    Greeting { text: text.to_owned() }
}

/// As a site with the same secret makes it at a sign-in.
fn session_token(secret: &Secret) -> Result<String, BoxError> {
    let now = Timestamp::from(SystemClock.now()).as_secs();
    let mut claims = Claims::default();
    claims.insert("sub", "1");
    claims.insert("name", "J Smith");
    claims.insert("iat", now);
    claims.insert("exp", now + 60);
    Ok(JweGcm::new(secret, "").encode(&serde_json::to_vec(&claims)?)?)
}
