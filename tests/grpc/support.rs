//! A server with one method of each shape, a client for it, and tokens.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portcullis::{
    Auth, AuthLayer, Clock, Secret, SessionUser,
    codec::{Codec, JweGcm},
    tonic::{SessionRequestExt, while_signed_in},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Request, Response, Status, Streaming,
    metadata::{MetadataMap, MetadataValue},
    service::Routes,
    transport::{Channel, Server},
};

pub use self::greeter::{Greeting, Reply, greeter_client::GreeterClient, greeter_server::GreeterServer};

#[path = "../../examples/proto/greeter.rs"]
#[allow(missing_docs, clippy::all, clippy::disallowed_methods, reason = "generated")]
mod greeter;

pub const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";
pub const NOW: i64 = 1_768_478_400;
pub const COOKIE: &str = "next-auth.session-token";

/// Time that passes when a test says so; sleepers wake when it has.
#[derive(Debug, Clone)]
pub struct SharedClock(Arc<watch::Sender<i64>>);

impl SharedClock {
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(NOW)))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.send_modify(|now| *now += seconds);
    }
}

impl Clock for SharedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(*self.0.borrow() as u64)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut time = self.0.subscribe();
        let until = *time.borrow() + i64::try_from(duration.as_secs()).unwrap().max(1);
        Box::pin(async move {
            time.wait_for(|now| *now >= until).await.unwrap();
        })
    }
}

pub fn verifier(clock: &SharedClock) -> Auth {
    Auth::verifier(Secret::new(SECRET)).clock(clock.clone()).build().unwrap()
}

/// A token of this user that ends after an hour.
pub fn token(subject: &str, role: &str) -> String {
    let claims = format!(r#"{{"sub":"{subject}","role":"{role}","iat":{NOW},"exp":{}}}"#, NOW + 3600);
    JweGcm::new(&Secret::new(SECRET), "").encode(claims.as_bytes()).unwrap()
}

type Replies = Pin<Box<dyn Stream<Item = Result<Reply, Status>> + Send>>;

/// Says who is there; its streams end with the session.
#[derive(Clone, Default)]
pub struct Greeter {
    /// What `repeat` sends.
    pub news: Arc<Mutex<Option<tokio::sync::mpsc::UnboundedReceiver<String>>>>,
}

const BOUND: Duration = Duration::from_secs(10);

#[tonic::async_trait]
impl greeter::greeter_server::Greeter for Greeter {
    async fn greet(&self, request: Request<Greeting>) -> Result<Response<Reply>, Status> {
        let session = request.session::<SessionUser>()?;
        Ok(Response::new(Reply { text: session.subject().to_owned() }))
    }

    async fn collect(&self, request: Request<Streaming<Greeting>>) -> Result<Response<Reply>, Status> {
        let subject = request.session::<SessionUser>()?.subject().to_owned();
        let watch = request.watch_session(BOUND)?;
        let mut greetings = while_signed_in(watch, request.into_inner());
        let mut texts = vec![subject];
        while let Some(greeting) = greetings.next().await {
            texts.push(greeting?.text);
        }
        Ok(Response::new(Reply { text: texts.join(" ") }))
    }

    type RepeatStream = Replies;

    async fn repeat(&self, request: Request<Greeting>) -> Result<Response<Replies>, Status> {
        let news = self.news.lock().unwrap().take().unwrap();
        let news = tokio_stream::wrappers::UnboundedReceiverStream::new(news);
        let replies = news.map(|text| Ok(Reply { text }));
        Ok(Response::new(Box::pin(while_signed_in(request.watch_session(BOUND)?, replies))))
    }

    type ChatStream = Replies;

    async fn chat(&self, request: Request<Streaming<Greeting>>) -> Result<Response<Replies>, Status> {
        let subject = request.session::<SessionUser>()?.subject().to_owned();
        let watch = request.watch_session(BOUND)?;
        let replies = request.into_inner().map(move |greeting| {
            greeting.map(|greeting| Reply { text: format!("{subject} {}", greeting.text) })
        });
        Ok(Response::new(Box::pin(while_signed_in(watch, replies))))
    }
}

/// A server that stops when it is dropped.
pub struct Running {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves `routes` behind the layer, also to gRPC-Web and over HTTP/1.
pub async fn serve(auth: Auth, routes: Routes) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .accept_http1(true)
        .layer(AuthLayer::new(auth))
        .layer(tonic_web::GrpcWebLayer::new())
        .add_routes(routes)
        .serve_with_incoming(TcpListenerStream::new(listener));
    Running { address, task: tokio::spawn(async { server.await.unwrap() }) }
}

impl Running {
    pub async fn client(&self) -> GreeterClient<Channel> {
        GreeterClient::connect(format!("http://{}", self.address)).await.unwrap()
    }
}

/// A request with this metadata.
pub fn with<T>(message: T, metadata: &[(&'static str, &str)]) -> Request<T> {
    let mut map = MetadataMap::new();
    for (name, value) in metadata {
        if name.ends_with("-bin") {
            map.append_bin(*name, MetadataValue::from_bytes(value.as_bytes()));
        } else {
            map.append(*name, value.parse().unwrap());
        }
    }
    Request::from_parts(map, Default::default(), message)
}

pub fn hello() -> Greeting {
    Greeting { text: "hello".to_owned() }
}
