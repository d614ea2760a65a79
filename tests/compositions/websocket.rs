//! WebSockets: a guard refuses before the upgrade, a session moves into the socket's task.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use portcullis::{AuthLayer, RequireAuth, get_server_session};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest, handshake::derive_accept_key, protocol::Role},
};
use tower::{Layer, service_fn};

use crate::{
    client::{browser, cookies},
    composition::auth,
    server::serve,
    support::{DAY, ManualClock, NOW},
    visit::SESSION,
};

pub type Upgraded = (WebSocketStream<TcpStream>, Response<Option<Vec<u8>>>);

pub async fn connect(
    address: SocketAddr,
    path: &str,
    cookie: Option<HeaderValue>,
) -> Result<Upgraded, tungstenite::Error> {
    let mut request = format!("ws://localhost:3000{path}").into_client_request().unwrap();
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie);
    }
    client_async(request, TcpStream::connect(address).await.unwrap()).await
}

/// Nobody is refused with 401 and not upgraded.
pub async fn refuses_strangers(address: SocketAddr, path: &str) {
    let Err(tungstenite::Error::Http(refused)) = connect(address, path, None).await else {
        panic!("{path}: upgraded for nobody")
    };
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
    assert!(!refused.headers().contains_key(header::UPGRADE), "{path}");
}

/// Which cookies a response sets.
pub fn set_cookies(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
    lines.map(|line| line.split_once('=').unwrap().0).collect()
}

/// What the server says next.
pub async fn heard(socket: &mut WebSocketStream<TcpStream>) -> String {
    socket.next().await.unwrap().unwrap().into_text().unwrap().as_str().to_owned()
}

/// Upgrades by hand, as a service without a framework does.
async fn talk(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let session = get_server_session(&request).unwrap().expect("the guard has seen it");
    let accept = derive_accept_key(request.headers()[header::SEC_WEBSOCKET_KEY].as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let io = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        socket.send(Message::text(session.subject())).await.unwrap();
    });
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    let response = response.header(header::CONNECTION, "upgrade").header(header::UPGRADE, "websocket");
    let response =
        response.header(header::SEC_WEBSOCKET_ACCEPT, accept).header(header::SET_COOKIE, "talked=1");
    Ok(response.body(Full::default()).unwrap())
}

#[tokio::test]
async fn upgrades_without_a_framework() {
    let clock = ManualClock::at(NOW);
    let guarded = RequireAuth::signed_in().layer(service_fn(talk));
    let address = serve(AuthLayer::new(auth(&clock).build().unwrap()).layer(guarded));
    refuses_strangers(address, "/").await;
    let mut browser = browser(address, Version::HTTP_11);
    browser.sign_in("jsmith", "hunter2").await;
    clock.advance(DAY);
    let (mut socket, response) = connect(address, "/", Some(cookies(&browser))).await.unwrap();
    assert_eq!(set_cookies(response.headers()), ["talked", SESSION]);
    assert_eq!(heard(&mut socket).await, "1");
}
