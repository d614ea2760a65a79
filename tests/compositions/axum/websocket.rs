//! WebSockets: a guard refuses before the upgrade, a session moves into the socket's task.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::ws::{Message, WebSocketUpgrade},
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header};
use portcullis::{AuthLayer, RequireAuth, Session};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, client::IntoClientRequest},
};

use super::axum_serve;
use crate::{
    client::{browser, cookies},
    composition::auth,
    server::serve,
    support::{DAY, ManualClock, NOW},
    visit::SESSION,
};

/// Says who upgraded, then who is in the task, then repeats what it hears.
async fn talk(upgrade: WebSocketUpgrade, session: Session) -> axum::response::Response {
    let seen = format!("{} upgrades", session.subject());
    let mut response = upgrade.on_upgrade(async move |mut socket| {
        for words in [seen, format!("{} is here", session.user.name.as_deref().unwrap())] {
            socket.send(Message::text(words)).await.unwrap();
        }
        while let Some(Ok(Message::Text(heard))) = socket.recv().await {
            socket.send(Message::Text(heard)).await.unwrap();
        }
    });
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static("talked=1"));
    response
}

type Upgraded = (WebSocketStream<TcpStream>, Response<Option<Vec<u8>>>);

async fn connect(
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

fn set_cookies(headers: &HeaderMap) -> Vec<&str> {
    let names = headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
    names.map(|line| line.split_once('=').unwrap().0).collect()
}

#[tokio::test]
async fn upgrades() {
    for start in [axum_serve as fn(Router) -> SocketAddr, serve] {
        let clock = ManualClock::at(NOW);
        let router = Router::new()
            .route("/guarded", get(talk).layer(RequireAuth::signed_in()))
            .route("/extractor", get(talk));
        let address = start(router.layer(AuthLayer::new(auth(&clock).build().unwrap())));
        let mut browser = browser(address, Version::HTTP_11);
        browser.sign_in("jsmith", "hunter2").await;
        for path in ["/guarded", "/extractor"] {
            let Err(tungstenite::Error::Http(refused)) = connect(address, path, None).await else {
                panic!("{path}: upgraded for nobody")
            };
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert!(!refused.headers().contains_key(header::UPGRADE), "{path}");

            let (_, response) = connect(address, path, Some(cookies(&browser))).await.unwrap();
            assert_eq!(set_cookies(response.headers()), ["talked"], "{path}");
        }

        clock.advance(DAY);
        let (mut socket, response) = connect(address, "/guarded", Some(cookies(&browser))).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(set_cookies(response.headers()), ["talked", SESSION], "with the upgrade itself");
        for words in ["1 upgrades", "J Smith is here"] {
            assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), words);
        }
        browser.sign_out().await;
        for words in ["still", "connected"] {
            socket.send(tungstenite::Message::text(words)).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), words);
        }
    }
}
