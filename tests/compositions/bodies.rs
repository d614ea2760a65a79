//! Bodies that are still being sent: in neither direction does the layer wait for the end of one.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use portcullis::{AuthLayer, BoxError, RequireAuth, get_server_session};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tower::{Layer, service_fn};

use crate::{
    client::{browser, client, cookies, next},
    composition::{BOTH, auth},
    server::serve,
    support::{Browser, DAY, ManualClock, NOW, ORIGIN},
    visit::SESSION,
};

/// Sends each request's body back as it comes, and says in a trailer who sent it.
fn parrot(clock: &ManualClock) -> SocketAddr {
    async fn answer<B>(
        request: Request<B>,
    ) -> Result<Response<impl Body<Data = Bytes, Error = BoxError> + Send>, Infallible>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let session = get_server_session(&request).unwrap();
        let who = session.map_or_else(|| "nobody".to_owned(), |session| session.subject().to_owned());
        let trailers =
            HeaderMap::from_iter([(header::HeaderName::from_static("x-who"), who.parse().unwrap())]);
        let body =
            request.into_body().map_err(Into::into).with_trailers(std::future::ready(Some(Ok(trailers))));
        Ok(Response::builder().header("trailer", "x-who").header("set-cookie", "heard=1").body(body).unwrap())
    }
    serve(AuthLayer::new(auth(clock).build().unwrap()).layer(service_fn(answer)))
}

async fn signed_in(address: SocketAddr, version: Version) -> Browser {
    let mut browser = browser(address, version);
    browser.sign_in("jsmith", "hunter2").await;
    browser
}

/// A frame comes back before the next one is sent, so nobody on the way has waited for the end.
#[tokio::test]
async fn bodies_pass_frame_by_frame() {
    for &version in BOTH {
        let clock = ManualClock::at(NOW);
        let address = parrot(&clock);
        let browser = signed_in(address, version).await;
        clock.advance(DAY);
        let (say, said) = mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
        let request = Request::post(format!("{ORIGIN}/"))
            .header(header::COOKIE, cookies(&browser))
            .header(header::TE, "trailers")
            .body(StreamBody::new(ReceiverStream::new(said)))
            .unwrap();
        let response = client(address, version).request(request).await.unwrap();
        let set: Vec<_> = response.headers().get_all(header::SET_COOKIE).iter().collect();
        assert!(set[0] == "heard=1" && set[1].to_str().unwrap().starts_with(SESSION), "{set:?}");
        let mut body = response.into_body();
        for words in ["one", "two", "three"] {
            say.send(Ok(Frame::data(words.into()))).await.unwrap();
            assert_eq!(next(&mut body).await, words, "{version:?}");
        }
        drop(say);
        let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["x-who"], "1", "{version:?}");
        assert!(body.frame().await.is_none());
    }
}

/// One write, and what comes until the server has said `end`.
async fn exchange(stream: &mut TcpStream, write: &str, end: &str) -> String {
    stream.write_all(write.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).ends_with(end) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

/// Chunks as they are on the wire, and a trailer after them.
#[tokio::test]
async fn chunked_bodies() {
    let address = parrot(&ManualClock::at(NOW));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        "POST / HTTP/1.1\r\nhost: localhost:3000\r\nte: trailers\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = exchange(&mut stream, &format!("{head}3\r\none\r\n"), "3\r\none\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("transfer-encoding: chunked"),
        "{answer}"
    );
    assert_eq!(exchange(&mut stream, "5;x=y\r\nthree\r\n", "three\r\n").await, "5\r\nthree\r\n");
    assert_eq!(exchange(&mut stream, "0\r\n\r\n", "\r\n\r\n").await, "0\r\nx-who: nobody\r\n\r\n");
}

/// A client that asks first is told to go on when somebody reads the body, and not when a guard refuses.
#[tokio::test]
async fn expect_100_continue() {
    let clock = ManualClock::at(NOW);
    let head = |cookie: &str, path: &str| {
        let form = "content-type: application/x-www-form-urlencoded";
        let expect = "content-length: 4\r\nexpect: 100-continue";
        format!("POST {path} HTTP/1.1\r\nhost: localhost:3000\r\n{form}\r\n{expect}\r\n{cookie}\r\n")
    };
    const GO_ON: &str = "HTTP/1.1 100 Continue\r\n\r\n";

    let guarded = RequireAuth::signed_in().layer(crate::site::site());
    let address = serve(AuthLayer::new(auth(&clock).build().unwrap()).layer(guarded));
    let jar = cookies(&signed_in(address, Version::HTTP_11).await);
    let signed_in = format!("cookie: {}\r\n", jar.to_str().unwrap());

    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(exchange(&mut stream, &head(&signed_in, "/echo"), GO_ON).await, GO_ON);
    let answer = exchange(&mut stream, "a=b.", "a=b.").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    let mut stream = TcpStream::connect(address).await.unwrap();
    let answer = exchange(&mut stream, &head("", "/echo"), "}").await;
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");

    // The endpoints read theirs.
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(exchange(&mut stream, &head("", "/api/auth/signout"), GO_ON).await, GO_ON);
    let answer = exchange(&mut stream, "a=b.", "\r\n\r\n").await;
    let status: StatusCode = answer[9..12].parse().unwrap();
    assert!(status.is_redirection(), "without a CSRF token: {answer}");
}
