//! Requests through a Tower service, one after another, each with another session.

use std::{
    convert::Infallible,
    future::{Future, Ready, poll_fn, ready},
    hint::black_box,
    pin::Pin,
    rc::Rc,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use portcullis::{Auth, AuthLayer, RequireAuth};
use tokio::runtime::Runtime;
use tower::{Layer, Service, service_fn};

use crate::support::{Run, noop::NoOpLayer, rows};

type Sending = Request<Full<Bytes>>;

/// As many requests are sent for each look at the clock.
pub const BATCH: usize = 100;

/// The headers of browsers that are signed in.
#[derive(Clone)]
pub struct Cookies(Rc<[HeaderMap]>);

impl Cookies {
    /// Those of `some` sessions, spread over `all` of them and in no order.
    pub fn of(all: usize, some: usize) -> Self {
        // A prime, so that each comes once.
        let number = |index: usize| (index * 7_919) % some * (all / some);
        Self((0..some).map(|index| rows::headers(number(index))).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[derive(Clone, Copy)]
pub enum Front<'a> {
    NoOp,
    Layer(&'a Auth),
    /// The layer and a guard.
    Guard(&'a Auth),
}

/// Sends one request after another.
pub trait Traffic {
    /// Sends one, and answers with the status.
    fn send(&mut self) -> Pin<Box<dyn Future<Output = StatusCode> + '_>>;

    /// Sends a batch.
    fn send_batch(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>>;
}

/// Everything is the same but the layer.
pub fn traffic(front: Front<'_>, cookies: &Cookies) -> Box<dyn Traffic> {
    let service = service_fn(answer);
    let layer = |auth: &Auth| AuthLayer::new(auth.clone());
    match front {
        Front::NoOp => through(NoOpLayer.layer(service), cookies),
        Front::Layer(auth) => through(layer(auth).layer(service), cookies),
        Front::Guard(auth) => through(layer(auth).layer(RequireAuth::signed_in().layer(service)), cookies),
    }
}

/// A batch of such requests each time it is called.
pub fn run(front: Front<'_>, cookies: &Cookies, runtime: &Rc<Runtime>) -> Run {
    if let Front::Layer(auth) = front {
        // Were the sessions not found, the wrong thing would be measured.
        let mut guarded = traffic(Front::Guard(auth), cookies);
        for _ in 0..BATCH {
            assert_eq!(runtime.block_on(guarded.send()), StatusCode::OK);
        }
    }
    let (mut traffic, runtime) = (traffic(front, cookies), Rc::clone(runtime));
    Box::new(move || runtime.block_on(traffic.send_batch()))
}

struct Through<S> {
    service: S,
    cookies: Cookies,
    next: usize,
}

fn through<S, B>(service: S, cookies: &Cookies) -> Box<dyn Traffic>
where
    S: Service<Sending, Response = Response<B>, Error = Infallible> + 'static,
{
    Box::new(Through { service, cookies: cookies.clone(), next: 0 })
}

impl<S> Through<S> {
    async fn one<B>(&mut self) -> Response<B>
    where
        S: Service<Sending, Response = Response<B>, Error = Infallible>,
    {
        let mut request = Request::new(Full::default());
        *request.headers_mut() = self.cookies.0[self.next].clone();
        self.next = (self.next + 1) % self.cookies.len();
        let Ok(()) = poll_fn(|context| self.service.poll_ready(context)).await;
        let Ok(response) = self.service.call(request).await;
        response
    }
}

impl<S, B> Traffic for Through<S>
where
    S: Service<Sending, Response = Response<B>, Error = Infallible>,
{
    fn send(&mut self) -> Pin<Box<dyn Future<Output = StatusCode> + '_>> {
        Box::pin(async { self.one().await.status() })
    }

    fn send_batch(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async {
            for _ in 0..BATCH {
                black_box(self.one().await);
            }
        })
    }
}

fn answer(_: Sending) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"hello")))))
}
