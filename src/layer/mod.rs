//! [`AuthLayer`]: the one layer in front of a Tower stack.
//!
//! For each request it does one of three things:
//!
//! 1. Under the base path it answers itself: these are the endpoints of Auth.js.
//! 2. Without a session cookie it calls the service and nothing else: no allocation, no look at the clock.
//! 3. With one it reads the session, renews it when that is due, and puts it where the extractors, the guards
//!    and [`get_server_session`] find it.
//!
//! Cookies are appended to the response, which is then never cacheable; a response whose handler looked at
//! the session says `Vary: Cookie`.
//!
//! Ask on the task that handles the request. In a spawned task, or in a service that runs on another one
//! (`tower::buffer`), a visitor's request is answered as if the layer were missing: take the session first, and
//! move it there.
//!
//! ```
//! use http::{Request, Response};
//! use portcullis::{Auth, AuthLayer, OriginPolicy, Secret, get_server_session};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
//!     .origin(OriginPolicy::fixed("https://app.example")?)
//!     .build()?;
//! let service = AuthLayer::new(auth).layer(service_fn(|request: Request<String>| async move {
//!     let greeting = match get_server_session(&request)? {
//!         Some(session) => format!("hello {}", session.subject()),
//!         None => "who are you?".to_owned(),
//!     };
//!     Ok::<_, portcullis::SessionError>(Response::new(greeting))
//! }));
//! let response = service.oneshot(Request::new(String::new())).await?;
//! assert_eq!(response.status(), 200);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod bearer;
mod body;
mod future;
#[expect(clippy::module_inception, reason = "the names of Tower: layer, service, future, body")]
mod layer;
mod lookup;
mod resolve;
mod scope;
mod service;

pub(crate) use self::lookup::Lookup;
#[cfg(feature = "tonic")]
pub(crate) use self::lookup::sealed;
pub use self::{
    body::AuthBody,
    future::ResponseFuture,
    layer::AuthLayer,
    lookup::{AuthRequest, get_auth_context, get_raw_token, get_server_session, get_token},
    service::AuthService,
};
