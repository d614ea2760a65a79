//! gRPC-Web as browsers send it, by hand over HTTP/1; from Chromium in `tests/browser`.

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::RequireAuth;
use prost::Message;
use tonic::service::Routes;
use tower::Layer;

use crate::support::{COOKIE, Greeter, GreeterServer, Running, SharedClock, hello, serve, token, verifier};

async fn call(server: &Running, cookie: Option<&str>) -> Response<Bytes> {
    let message = hello().encode_to_vec();
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(&message);
    let mut request = Request::post(format!("http://{}/greeter.v1.Greeter/Greet", server.address))
        .header(header::CONTENT_TYPE, "application/grpc-web+proto")
        .header("x-grpc-web", "1");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request.body(Full::new(frame.freeze())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// The status, from the headers or from the trailers that stand in the body.
fn status(response: &Response<Bytes>) -> String {
    if let Some(status) = response.headers().get("grpc-status") {
        return status.to_str().unwrap().to_owned();
    }
    let body = String::from_utf8_lossy(response.body());
    let (_, rest) = body.split_once("grpc-status:").unwrap_or_else(|| panic!("no status in {body:?}"));
    rest.trim().chars().take_while(char::is_ascii_digit).collect()
}

#[tokio::test]
async fn the_cookie_is_the_session() {
    let clock = SharedClock::new();
    let cookie = format!("{COOKIE}={}", token("7", "user"));
    let guard = RequireAuth::signed_in();
    for routes in [
        Routes::new(GreeterServer::new(Greeter::default())),
        Routes::new(guard.layer(GreeterServer::new(Greeter::default()))),
    ] {
        let server = serve(verifier(&clock), routes).await;
        let answer = call(&server, Some(&cookie)).await;
        assert_eq!((answer.status().as_u16(), &*status(&answer)), (200, "0"));
        assert!(answer.body().windows(3).any(|bytes| bytes == b"\x0a\x017"), "{:?}", answer.body());
        let refused = call(&server, None).await;
        assert_eq!((refused.status().as_u16(), &*status(&refused)), (200, "16"));
        assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/grpc-web+proto");
    }
}
