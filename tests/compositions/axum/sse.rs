//! Server-sent events: they arrive one by one, and the handler knows who listens.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    response::sse::{Event, Sse},
    routing::get,
};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use portcullis::{AuthLayer, RequireAuth, Session};
use tokio::sync::broadcast;
use tokio_stream::{StreamExt, wrappers::BroadcastStream};
use tower::ServiceBuilder;
use tower_http::{compression::CompressionLayer, timeout::TimeoutLayer, trace::TraceLayer};

use crate::{
    client::{browser, client, cookies, next},
    composition::{BOTH, auth},
    server::serve,
    support::{DAY, ManualClock, NOW, ORIGIN},
    visit::SESSION,
};

/// Whatever is said, with the name of who hears it.
fn events(said: &broadcast::Sender<&'static str>) -> Router {
    let said = said.clone();
    let listen =
        async move |session: Session| {
            let who = session.subject().to_owned();
            let heard = BroadcastStream::new(said.subscribe());
            Sse::new(heard.map(move |words| {
                Ok::<_, Infallible>(Event::default().event(who.clone()).data(words.unwrap()))
            }))
        };
    Router::new().route("/events", get(listen).layer(RequireAuth::signed_in()))
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    for &version in BOTH {
        let clock = ManualClock::at(NOW);
        let (say, _) = broadcast::channel(8);
        let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(60));
        let stack = ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(timeout);
        let stack = stack.layer(CompressionLayer::new()).layer(AuthLayer::new(auth(&clock).build().unwrap()));
        let address = serve(events(&say).layer(stack));
        let mut browser = browser(address, version);
        assert_eq!(browser.get("/events").await.status, StatusCode::UNAUTHORIZED);
        browser.sign_in("jsmith", "hunter2").await;
        clock.advance(DAY);

        let request = Request::get(format!("{ORIGIN}/events"))
            .header(header::COOKIE, cookies(&browser))
            .header(header::ACCEPT, "text/event-stream")
            .header(header::ACCEPT_ENCODING, "gzip")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = client(address, version).request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let renewed = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(renewed.starts_with(SESSION), "before the first event: {renewed}");

        let mut body = response.into_body();
        for words in ["one", "two", "three"] {
            say.send(words).unwrap();
            assert_eq!(next(&mut body).await, format!("event: 1\ndata: {words}\n\n"), "{version:?}");
        }
    }
}
