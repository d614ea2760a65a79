//! Clients on a socket: one that the jar of [`Browser`](crate::support::Browser) can use, and the bare one.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, Version, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use portcullis::BoxError;
use tokio::net::TcpStream;
use tower::{service_fn, util::BoxCloneSyncService};

use crate::support::{App, Browser, ORIGIN};

type Connect = BoxCloneSyncService<Uri, TokioIo<TcpStream>, std::io::Error>;

/// A client that finds every host at `address`.
pub fn client<B>(address: SocketAddr, version: Version) -> Client<Connect, B>
where
    B: Body<Data: Send> + Send,
{
    let connect = BoxCloneSyncService::new(service_fn(move |_: Uri| async move {
        TcpStream::connect(address).await.map(TokioIo::new)
    }));
    Client::builder(TokioExecutor::new()).http2_only(version == Version::HTTP_2).build(connect)
}

/// A browser whose requests go over a socket, and that takes compressed answers.
pub fn browser(address: SocketAddr, version: Version) -> Browser {
    Browser::new(over_socket(address, version)).with_header("accept-encoding", "gzip")
}

fn over_socket(address: SocketAddr, version: Version) -> App {
    let client = client(address, version);
    BoxCloneSyncService::new(service_fn(move |mut request: Request<Full<Bytes>>| {
        let client = client.clone();
        async move {
            if request.uri().authority().is_none() {
                *request.uri_mut() = format!("{ORIGIN}{}", request.uri()).parse().unwrap();
            }
            let response = client.request(request).await.unwrap();
            assert_eq!(response.version(), version);
            Ok::<_, Infallible>(read(response).await)
        }
    }))
}

/// Reads an answer to its end and undoes its compression.
async fn read(response: Response<Incoming>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let zipped = parts.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    let body = if zipped && !body.is_empty() { gunzip(&body) } else { body };
    Response::from_parts(parts, body)
}

/// RFC 1952: ten bytes of header, as long as no flag announces more, and eight at the end.
fn gunzip(zipped: &[u8]) -> Bytes {
    assert_eq!((zipped[..3].to_vec(), zipped[3]), (vec![0x1f, 0x8b, 8], 0), "a plain gzip header");
    miniz_oxide::inflate::decompress_to_vec(&zipped[10..zipped.len() - 8]).unwrap().into()
}

/// The cookies of a browser as it would send them.
pub fn cookies(browser: &Browser) -> HeaderValue {
    let pairs: Vec<_> = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ").parse().unwrap()
}

/// The next frame of data of a body that is still being sent.
pub async fn next<B>(body: &mut B) -> Bytes
where
    B: Body<Data = Bytes, Error: Into<BoxError> + std::fmt::Debug> + Unpin,
{
    body.frame().await.expect("the body goes on").unwrap().into_data().expect("data")
}
