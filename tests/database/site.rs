//! A site with sessions in a store.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthBuilder, AuthContext, AuthLayer, Clock, Lifetime, get_auth_context, get_server_session,
    store::Store,
};
use tower::{Layer, service_fn};

pub use crate::gate::{Crash, Gate};
use crate::support::{App, Browser, ManualClock, NOW, app, builder};

pub const HOUR: Duration = Duration::from_secs(3600);
pub const COOKIE: &str = "next-auth.session-token";

/// A clock, and a site at noon with this store.
pub fn site(store: &Arc<dyn Store>) -> (ManualClock, AuthBuilder) {
    let clock = ManualClock::at(NOW);
    let builder = builder(&clock).clock(Waiting(clock.clone())).store(Arc::clone(store));
    (clock, builder)
}

/// Says what time it is as the test wants, and really waits: a server takes its time to answer.
#[derive(Debug)]
pub struct Waiting(pub ManualClock);

impl Clock for Waiting {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

pub fn hours(max_age: u32, update_age: u32) -> Lifetime {
    Lifetime::new(max_age * HOUR, update_age * HOUR).unwrap()
}

pub fn browser(auth: &Auth) -> Browser {
    Browser::new(whoami(auth.clone()))
}

/// Says who is there: the subject, `nobody`, or the error's code and status.
pub fn whoami(auth: Auth) -> App {
    app(AuthLayer::new(auth).layer(service_fn(async |request: Request<Full<Bytes>>| {
        let (status, text) = match get_server_session(&request) {
            Ok(Some(session)) => (200, session.subject().to_owned()),
            Ok(None) => (200, "nobody".to_owned()),
            Err(error) => (error.status().as_u16(), error.code().to_owned()),
        };
        let response = Response::builder().status(status).body(Full::new(Bytes::from(text)));
        Ok::<_, Infallible>(response.unwrap())
    })))
}

/// A request of `browser` as a handler has it: its handle, which can be kept while other requests come and go.
pub async fn context(auth: &Auth, browser: &Browser) -> AuthContext {
    let kept = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&kept);
    let handler =
        app(AuthLayer::new(auth.clone()).layer(service_fn(move |request: Request<Full<Bytes>>| {
            *slot.lock().unwrap() = Some(get_auth_context(&request).unwrap());
            std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))))
        })));
    let mut visitor = Browser::new(handler);
    visitor.jar = browser.jar.clone();
    visitor.get("/").await;
    kept.lock().unwrap().take().unwrap()
}

/// Lets a handler of `browser` do something with its handle, and takes the cookies that it is answered.
pub async fn act<F, T>(
    auth: &Auth,
    browser: &mut Browser,
    act: impl Fn(AuthContext) -> F + Clone + Send + Sync + 'static,
) -> T
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let handler =
        app(AuthLayer::new(auth.clone()).layer(service_fn(move |request: Request<Full<Bytes>>| {
            let (slot, act, context) = (Arc::clone(&slot), act.clone(), get_auth_context(&request).unwrap());
            async move {
                let done = act(context).await;
                *slot.lock().unwrap() = Some(done);
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
            }
        })));
    let mut visitor = Browser::new(handler);
    visitor.jar = browser.jar.clone();
    visitor.get("/").await;
    browser.jar = visitor.jar;
    answer.lock().unwrap().take().unwrap()
}
