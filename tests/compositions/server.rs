//! Servers on a free port of this machine. They end with the test's runtime.

use std::{future::Future, net::SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use portcullis::BoxError;
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

/// A free port, and the listener there.
pub fn listen() -> (SocketAddr, TcpListener) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    (listener.local_addr().unwrap(), TcpListener::from_std(listener).unwrap())
}

/// What hyper can serve.
pub trait Served<B>:
    Service<
        Request<Incoming>,
        Response = Response<B>,
        Error: Into<BoxError> + Send + Sync,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S, B> Served<B> for S where
    S: Service<
            Request<Incoming>,
            Response = Response<B>,
            Error: Into<BoxError> + Send + Sync,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// Accepts connections and gives each to `connected`.
fn accept<F>(connected: impl Fn(TokioIo<TcpStream>) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let (address, listener) = listen();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connected(TokioIo::new(stream)));
        }
    });
    address
}

/// HTTP/1.1 and HTTP/2, as the client begins; with upgrades.
pub fn serve<S, B>(service: S) -> SocketAddr
where
    S: Served<B>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    accept(move |io| {
        let service = TowerToHyperService::new(service.clone());
        async move {
            // A client that hangs up is no failure of the test; what it missed shows there.
            let _ =
                auto::Builder::new(TokioExecutor::new()).serve_connection_with_upgrades(io, service).await;
        }
    })
}

pub fn serve_http1<S, B>(service: S) -> SocketAddr
where
    S: Served<B>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    accept(move |io| {
        let service = TowerToHyperService::new(service.clone());
        async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        }
    })
}

pub fn serve_http2<S, B>(service: S) -> SocketAddr
where
    S: Served<B>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    accept(move |io| {
        let service = TowerToHyperService::new(service.clone());
        async move {
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(io, service)
                .await;
        }
    })
}
