//! The site under test: it says who is there, and keeps that in a store.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use portcullis::{
    Auth, AuthLayer, BoxError, Credentials, Field, Lifetime, OriginPolicy, Secret, Submitted, User,
    get_server_session, store::Store,
};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};

use crate::{
    server,
    stored::HOUR,
    support::{ORIGIN, SECRET},
};

/// How long one call of the store may take.
pub const LIMIT: Duration = Duration::from_secs(1);

pub type Site = BoxCloneSyncService<Request<Incoming>, Response<Full<Bytes>>, Infallible>;

pub fn site(store: Arc<dyn Store>) -> Site {
    patient(store, LIMIT)
}

/// A site that waits so long for its store.
pub fn patient(store: Arc<dyn Store>, limit: Duration) -> Site {
    let auth = Auth::builder(Secret::new(SECRET))
        .origin(OriginPolicy::fixed(ORIGIN).unwrap())
        .provider(Credentials::new(admit).field(Field::text("name", "Name")))
        // So short that reads keep renewing: then each of them may write, too.
        .lifetime(Lifetime::new(HOUR, Duration::from_secs(1)).unwrap())
        .store(store)
        .store_time_limit(limit)
        .build()
        .unwrap();
    let pages = AuthLayer::new(auth).layer(service_fn(who)).and_then(async |response: Response<_>| {
        let (parts, body) = response.into_parts();
        let Ok(body) = BodyExt::collect(body).await;
        Ok(Response::from_parts(parts, Full::new(body.to_bytes())))
    });
    BoxCloneSyncService::new(pages)
}

/// On a socket of its own.
pub fn serve(site: Site) -> SocketAddr {
    server::serve_http1(site)
}

pub fn email(name: &str) -> String {
    format!("{name}@example.com")
}

async fn admit(form: Submitted) -> Result<Option<User>, BoxError> {
    Ok(form.get("name").map(|name| User::new(name).name(name).email(email(name))))
}

/// The address of whoever is there, `nobody`, or the error's code and status.
async fn who(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, text) = match get_server_session(&request) {
        Ok(Some(session)) => (200, session.user.email.unwrap_or_default()),
        Ok(None) => (200, "nobody".to_owned()),
        Err(error) => (error.status().as_u16(), error.code().to_owned()),
    };
    Ok(Response::builder().status(status).body(Full::from(text)).unwrap())
}
