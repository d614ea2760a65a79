//! The Rust side, running: the paths of the Next.js applications, and the same user over gRPC.

use std::net::SocketAddr;

use axum::{Json, Router, http::HeaderMap, routing::get};
use portcullis::{
    Auth, AuthLayer, BoxError, Claims, Credentials, Field, JwtContext, OriginPolicy, RequireAuth, Secret,
    Session, SessionContext, SessionUser, Submitted, Trigger, User, get_server_session, get_token,
    tonic::SessionRequestExt,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_stream::{Empty, wrappers::TcpListenerStream};
use tonic::{Code, Response, Status, Streaming, transport::Server};

use crate::{
    greeter::{
        Greeting, Reply,
        greeter_client::GreeterClient,
        greeter_server::{Greeter, GreeterServer},
    },
    site::Setting,
};

/// A server that ends with the runtime of its test.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    pub http: SocketAddr,
    pub grpc: SocketAddr,
}

impl Service {
    pub async fn start(auth: Auth) -> Self {
        let (http, grpc) = (listener().await, listener().await);
        let addresses = Self { http: http.local_addr().unwrap(), grpc: grpc.local_addr().unwrap() };
        let app = Router::new()
            .route("/api/session", get(async |request: Request| Json(get_server_session(&request).unwrap())))
            .route("/api/token", get(token))
            .route("/protected", get("for you").layer(RequireAuth::signed_in()))
            .route("/admin", get("for admins").layer(RequireAuth::role("admin")))
            .layer(AuthLayer::new(auth.clone()));
        tokio::spawn(async { axum::serve(http, app).await.unwrap() });
        let methods = Server::builder().layer(AuthLayer::new(auth)).add_service(GreeterServer::new(Methods));
        tokio::spawn(methods.serve_with_incoming(TcpListenerStream::new(grpc)));
        addresses
    }

    /// The user that a gRPC method is shown for a request with these headers; null if it refuses.
    pub async fn grpc_user(&self, headers: &HeaderMap) -> Value {
        let mut client = GreeterClient::connect(format!("http://{}", self.grpc)).await.unwrap();
        let mut request = tonic::Request::new(Greeting { text: String::new() });
        *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers.clone());
        match client.greet(request).await {
            Ok(reply) => serde_json::from_str(&reply.into_inner().text).unwrap(),
            Err(status) if status.code() == Code::Unauthenticated => Value::Null,
            Err(status) => panic!("{status}"),
        }
    }
}

type Request = axum::extract::Request;

async fn listener() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
}

async fn token(request: Request) -> Json<Option<Claims>> {
    Json(get_token::<Claims>(&request).unwrap().map(|token| token.claims))
}

struct Methods;

#[tonic::async_trait]
impl Greeter for Methods {
    type RepeatStream = Empty<Result<Reply, Status>>;
    type ChatStream = Empty<Result<Reply, Status>>;

    async fn greet(&self, request: tonic::Request<Greeting>) -> Result<Response<Reply>, Status> {
        let session = request.session::<SessionUser>()?;
        Ok(Response::new(Reply { text: serde_json::to_string(&session.user).unwrap() }))
    }

    async fn collect(&self, _: tonic::Request<Streaming<Greeting>>) -> Result<Response<Reply>, Status> {
        Err(Status::unimplemented("one method is enough here"))
    }

    async fn repeat(&self, _: tonic::Request<Greeting>) -> Result<Response<Self::RepeatStream>, Status> {
        Err(Status::unimplemented("one method is enough here"))
    }

    async fn chat(
        &self,
        _: tonic::Request<Streaming<Greeting>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        Err(Status::unimplemented("one method is enough here"))
    }
}

fn secret(secrets: &[&str]) -> Secret {
    let (first, older) = secrets.split_first().unwrap();
    older.iter().fold(Secret::new(first), |secret, older| secret.or_previous(older))
}

/// What signs people in as the site of this setting does.
pub fn site_like(setting: Setting) -> Auth {
    let credentials = Credentials::new(check)
        .field(Field::text("username", "Username"))
        .field(Field::password("password", "Password"));
    Auth::builder(secret(setting.secrets))
        .dialect(setting.dialect)
        .origin(OriginPolicy::fixed(setting.origin).unwrap())
        .provider(credentials)
        .on_jwt(into_token)
        .on_session(into_session)
        .build()
        .unwrap()
}

/// What knows nothing but the secrets.
pub fn verifier(secrets: &[&str]) -> Auth {
    Auth::verifier(secret(secrets)).on_session(into_session).build().unwrap()
}

/// The people of the Next.js applications.
async fn check(form: Submitted) -> Result<Option<User>, BoxError> {
    if form.get("password") != Some("hunter2") {
        return Ok(None);
    }
    Ok(match form.get("username") {
        Some("jsmith") => {
            Some(User::new("1").name("J Smith").email("jsmith@example.com").with("role", "user"))
        }
        Some("admin") => {
            Some(User::new("2").name("Zoë 日本語 🦀").email("admin@example.com").with("role", "admin"))
        }
        Some("big") => Some(
            User::new("3")
                .name("Big")
                .email("big@example.com")
                .with("role", "user")
                .with("note", "n€".repeat(1500)),
        ),
        _ => None,
    })
}

/// The callbacks of the Next.js applications.
async fn into_token(
    JwtContext { mut token, user, trigger, session, .. }: JwtContext,
) -> Result<Option<Claims>, BoxError> {
    for member in ["role", "note"] {
        if let Some(value) = user.as_ref().and_then(|user| user.get_str(member)) {
            token.insert(member, value);
        }
    }
    if let (Some(Trigger::Update), Some(Value::Object(changes))) = (trigger, session) {
        for (claim, value) in changes {
            token.insert(&claim, value);
        }
    }
    Ok(Some(token))
}

async fn into_session(
    SessionContext { mut session, token, .. }: SessionContext,
) -> Result<Session, BoxError> {
    for (member, claim) in [("id", "sub"), ("role", "role"), ("note", "note")] {
        if let Some(value) = token.get(claim) {
            session.user.insert(member, value.clone());
        }
    }
    Ok(session)
}
