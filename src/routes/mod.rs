//! The endpoints of Auth.js (`docs/protocol.md` sections 5 and 6).
//!
//! [`serve`] reads the request into a [`Cx`], the table in [`dispatch`] finds the action, the action makes a
//! [`Reply`](crate::reply::Reply). Each action is a file.

#[cfg(feature = "oauth")]
mod back_channel;
mod callback;
mod cx;
mod email;
mod error;
mod fields;
mod log;
#[cfg(feature = "oauth")]
mod oauth;
mod providers;
mod session;
mod sign_in;
mod sign_out;
mod verify_request;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use self::cx::Cx;
use crate::{
    auth::{Auth, Site},
    dialect::{Rules, Unsupported},
    error::{BoxError, ErrorCode},
    reply::{self, Reply},
};

/// Answers a request under the base path.
pub(crate) async fn serve<B>(auth: Auth, site: Arc<Site>, mut request: Request<B>) -> Response<Bytes>
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<BoxError>,
{
    let method = request.method().clone();
    #[cfg(feature = "oauth")]
    if let Some(provider) = oauth::posts_here(&site, &request) {
        return oauth::take_post(&auth, &site, &provider, request).await;
    }
    if method == Method::HEAD && email::shows_page(&site, request.uri().path()) {
        *request.method_mut() = Method::GET;
    }
    let endpoints = Endpoints { auth, site: Arc::clone(&site) };
    match site.cross_site.guard(endpoints, request).await {
        Ok(response) => reply::for_method(response, &method),
        Err(never) => match never {},
    }
}

/// The endpoints as a service, for the check that stands in front of them.
struct Endpoints {
    auth: Auth,
    site: Arc<Site>,
}

impl<B> Service<Request<B>> for Endpoints
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (auth, site) = (self.auth.clone(), Arc::clone(&self.site));
        Box::pin(async move { Ok(answer(auth, site, request).await) })
    }
}

async fn answer<B>(auth: Auth, site: Arc<Site>, request: Request<B>) -> Response<Bytes>
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<BoxError>,
{
    let rules = auth.settings.rules;
    let (parts, body) = request.into_parts();
    let Some(action) =
        Action::parse(site.endpoint(parts.uri.path()).unwrap_or_default(), &parts.method, rules)
    else {
        return unsupported(&parts.method, rules).into_response(rules, false, Vec::new());
    };
    let cx = match Cx::read(&auth, site, parts, body).await {
        Ok(cx) => cx,
        Err(reply) => return reply.into_response(rules, false, Vec::new()),
    };
    let reply = dispatch(&cx, &action).await;
    let (json_mode, cookies) = cx.finish();
    reply.into_response(rules, json_mode, cookies)
}

/// What a path under the base path asks for.
#[derive(Debug)]
struct Action {
    name: String,
    /// The second segment: a provider's id, or the code of an error.
    argument: Option<String>,
    is_post: bool,
}

/// Every action there is, in any dialect and with any method.
const ACTIONS: [&str; 11] = [
    "signin",
    "signout",
    "callback",
    "session",
    "csrf",
    "providers",
    "error",
    "verify-request",
    "_log",
    "webauthn-options",
    "backchannel-logout",
];

impl Action {
    /// `None` for an action or a method that is none.
    fn parse(path: &str, method: &Method, rules: &Rules) -> Option<Self> {
        let is_post = match *method {
            Method::GET => false,
            Method::POST => true,
            _ => return None,
        };
        let mut segments = path.split('/');
        let name = segments.next()?;
        let argument = segments.next().filter(|argument| !argument.is_empty());
        let takes_argument =
            matches!(name, "signin" | "callback" | "webauthn-options" | "backchannel-logout");
        let too_long = segments.next().is_some() || (argument.is_some() && !takes_argument);
        let unknown = !ACTIONS.contains(&name) || (name == "_log" && !rules.serves_log);
        if unknown || (rules.strict_paths && too_long) {
            return None;
        }
        Some(Self { name: name.to_owned(), argument: argument.map(str::to_owned), is_post })
    }
}

/// The table: what is done for an action.
async fn dispatch(cx: &Cx, action: &Action) -> Reply {
    let provider = action.argument.as_deref();
    match (action.name.as_str(), action.is_post) {
        ("csrf", false) => {
            Reply::json(StatusCode::OK, serde_json::json!({ "csrfToken": cx.csrf.token }).to_string())
        }
        ("providers", false) => providers::list(cx),
        ("session", false) => session::read(cx).await,
        ("session", true) if cx.auth.settings.rules.serves_update => session::update(cx).await,
        ("signin", false) => sign_in::page(cx, provider),
        ("signin", true) => sign_in::start(cx, provider).await,
        ("callback", true) => callback::post(cx, provider).await,
        ("callback", false) => callback::get(cx, provider).await,
        ("signout", false) => sign_out::page(cx),
        ("signout", true) => sign_out::end(cx).await,
        ("error", false) => error::page(cx, provider),
        ("verify-request", false) => verify_request::page(cx),
        ("_log", true) => log::take(cx),
        #[cfg(feature = "oauth")]
        ("backchannel-logout", true) => match provider.and_then(|id| cx.site.oauth.client(id)) {
            Some(client) if client.provider.federated_logout => back_channel::end(cx, client).await,
            _ => cx.unsupported(),
        },
        _ => cx.unsupported(),
    }
}

/// The answer to what is no action at all, in the words of the dialect.
fn unsupported(method: &Method, rules: &Rules) -> Reply {
    match rules.unsupported {
        Unsupported::Text => Reply::text(
            StatusCode::BAD_REQUEST,
            format!("Error: This action with HTTP {method} is not supported by NextAuth.js"),
        ),
        Unsupported::BadRequest => Reply::json(StatusCode::BAD_REQUEST, "\"Bad request.\""),
    }
}

impl Cx {
    /// The answer to an action that there is, but not with this method or this provider.
    fn unsupported(&self) -> Reply {
        match self.auth.settings.rules.unsupported {
            Unsupported::Text => unsupported(&self.parts.method, self.auth.settings.rules).bare(),
            Unsupported::BadRequest => self.fail(ErrorCode::Configuration, None, StatusCode::OK),
        }
    }
}
