//! WebSockets of Axum: the extractor of the session beside that of the upgrade.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::ws::{Message, WebSocketUpgrade},
    response::Response,
    routing::get,
};
use futures_util::SinkExt;
use http::{HeaderValue, StatusCode, Version, header};
use portcullis::{AuthLayer, RequireAuth, Session};
use tokio_tungstenite::tungstenite;

use super::axum_serve;
use crate::{
    client::{browser, cookies},
    composition::auth,
    server::serve,
    support::{DAY, ManualClock, NOW},
    visit::SESSION,
    websocket::{connect, heard, refuses_strangers, set_cookies},
};

/// Says who upgraded, then who is in the task, then repeats what it hears.
async fn talk(upgrade: WebSocketUpgrade, session: Session) -> Response {
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
            refuses_strangers(address, path).await;
            let (_, response) = connect(address, path, Some(cookies(&browser))).await.unwrap();
            assert_eq!(set_cookies(response.headers()), ["talked"], "{path}");
        }

        clock.advance(DAY);
        let (mut socket, response) = connect(address, "/guarded", Some(cookies(&browser))).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(set_cookies(response.headers()), ["talked", SESSION], "with the upgrade itself");
        assert_eq!(heard(&mut socket).await, "1 upgrades");
        assert_eq!(heard(&mut socket).await, "J Smith is here");
        browser.sign_out().await;
        for words in ["still", "connected"] {
            socket.send(tungstenite::Message::text(words)).await.unwrap();
            assert_eq!(heard(&mut socket).await, words);
        }
    }
}
