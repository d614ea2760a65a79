//! How somebody is refused: the one table from a refusal to a response.

use std::{
    borrow::Cow,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
};

use super::{
    judge::Refusal,
    require::{Answer, RequireAuth},
};
use crate::{
    auth::{Auth, SignInError},
    dialect::SignInLink,
    error::SessionError,
    grpc,
    layer::Lookup,
    reply,
};

/// A request that a guard does not let pass, for [`RequireAuth::refuse_with`].
#[non_exhaustive]
pub struct Refused<'r> {
    /// Why.
    pub refusal: &'r Refusal,
    /// Where it went.
    pub uri: &'r Uri,
    /// What it would have done.
    pub method: &'r Method,
    /// What came with it.
    pub headers: &'r HeaderMap,
    /// Where a browser would be sent to sign in, with the way back; none if that is not known.
    pub sign_in_url: Option<&'r str>,
}

impl Refused<'_> {
    /// The status that the guard's own answer to a script has: 401, 403, or that of the error.
    pub fn status(&self) -> StatusCode {
        match self.refusal {
            Refusal::NotSignedIn | Refusal::Stale => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden => StatusCode::FORBIDDEN,
            Refusal::Failed(error) => error.status(),
        }
    }
}

/// Without the headers, which hold cookies and tokens.
impl fmt::Debug for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("refusal", &self.refusal)
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

/// The guard's answer; none if the request is for the very page that it would lead to, which is not guarded.
pub(super) fn refuse<B>(
    guard: &RequireAuth,
    request: &Request<B>,
    refusal: &Refusal,
) -> Option<Response<Bytes>> {
    if guard.passes_own_pages && is_own_page(guard, request) {
        return None;
    }
    Some(reply::for_method(answer(guard, request, refusal), request.method()))
}

fn answer<B>(guard: &RequireAuth, request: &Request<B>, refusal: &Refusal) -> Response<Bytes> {
    let (uri, method, headers) = (request.uri(), request.method(), request.headers());
    let to_sign_in = match refusal {
        Refusal::NotSignedIn | Refusal::Stale => true,
        Refusal::Forbidden => guard.forbidden_to_sign_in,
        Refusal::Failed(_) => false,
    };
    let format = match guard.answer {
        Answer::Auto if grpc::is_call(request.into()) => Answer::Grpc,
        Answer::Auto if is_page(method, headers) => Answer::Page,
        Answer::Auto => Answer::Json,
        told => told,
    };
    let page = format == Answer::Page;
    let url =
        if to_sign_in && (page || guard.refuse_with.is_some()) { sign_in_url(guard, request) } else { None };
    if let Some(custom) = &guard.refuse_with {
        let refused = Refused { refusal, uri, method, headers, sign_in_url: url.as_deref() };
        match catch_unwind(AssertUnwindSafe(|| custom(&refused))) {
            Ok(Some(response)) => return response,
            Ok(None) => {}
            Err(_) => tracing::error!("the refuse_with of a guard panicked: its usual answer is given"),
        }
    }
    match (refusal, url) {
        _ if format == Answer::Grpc => grpc_refusal(headers, refusal),
        (_, Some(url)) if page => redirect(url, method),
        (Refusal::Failed(failed), _) => failure(failed),
        (Refusal::Forbidden, _) if !to_sign_in => forbidden(),
        (Refusal::Stale, _) => stale(),
        _ => unauthorized(),
    }
}

/// Whether a request is for the sign-in page or the error page of the site, which the application serves itself.
fn is_own_page<B>(guard: &RequireAuth, request: &Request<B>) -> bool {
    let Ok(auth) = Lookup::of(request).and_then(|lookup| lookup.auth()) else { return false };
    let error_page = auth.settings.site.as_ref().and_then(|site| site.pages.error.as_deref());
    // The whole path: below a prefix another page may have the same ending.
    let path = original_uri(request).path();
    [sign_in_page(guard, &auth), error_page].into_iter().flatten().any(|page| page == path)
}

fn sign_in_page<'a>(guard: &'a RequireAuth, auth: &'a Auth) -> Option<&'a str> {
    guard.sign_in_page.as_deref().or(auth.settings.sign_in_page.as_deref())
}

fn grpc_refusal(request: &HeaderMap, refusal: &Refusal) -> Response<Bytes> {
    let mut response = match refusal {
        Refusal::NotSignedIn => grpc::refusal(request, grpc::Code::Unauthenticated, grpc::NOT_SIGNED_IN),
        Refusal::Stale => grpc::refusal(request, grpc::Code::Unauthenticated, grpc::STALE),
        Refusal::Forbidden => grpc::refusal(request, grpc::Code::PermissionDenied, grpc::NOT_ALLOWED),
        Refusal::Failed(error) => grpc::refusal(request, error.into(), &error.to_string()),
    };
    response.headers_mut().insert(CACHE_CONTROL, reply::NO_STORE);
    response
}

/// The response for a session that cannot be known.
pub(crate) fn failure(failed: &SessionError) -> Response<Bytes> {
    error(failed.status(), failed.code(), &failed.to_string())
}

/// The response for somebody who is not signed in and asked for no page.
pub(crate) fn unauthorized() -> Response<Bytes> {
    challenge(UNAUTHORIZED, "Bearer")
}

/// The response for somebody who has to sign in once more (RFC 9470 section 3).
fn stale() -> Response<Bytes> {
    challenge(STALE, "Bearer error=\"insufficient_user_authentication\"")
}

fn challenge(body: &'static str, challenge: &'static str) -> Response<Bytes> {
    let mut response = json(StatusCode::UNAUTHORIZED, body.into());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// The response for somebody who is signed in and may not do that.
pub(crate) fn forbidden() -> Response<Bytes> {
    json(StatusCode::FORBIDDEN, FORBIDDEN.into())
}

// Ready-made: refusing should cost less than the handler would.
const UNAUTHORIZED: &str = r#"{"error":"Unauthorized","message":"sign in first"}"#;
const STALE: &str = r#"{"error":"SignInTooOld","message":"sign in again: the last time is too long ago"}"#;
const FORBIDDEN: &str = r#"{"error":"Forbidden","message":"this user may not do that"}"#;

/// The response for a handler whose sign-in was refused.
#[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "the frameworks' modules use it"))]
pub(crate) fn sign_in_refused(refused: &SignInError) -> Response<Bytes> {
    let (status, code) = if refused.is_denied() {
        (StatusCode::FORBIDDEN, "AccessDenied")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "Configuration")
    };
    error(status, code, &refused.to_string())
}

fn error(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    json(status, serde_json::json!({ "error": code, "message": message }).to_string().into())
}

fn json(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, reply::NO_STORE);
    response
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whether a browser is opening a page, rather than a script asking for something.
fn is_page(method: &Method, headers: &HeaderMap) -> bool {
    is_read(method)
        && match headers.get(SEC_FETCH_MODE) {
            Some(mode) => mode == "navigate",
            None => headers
                .get(ACCEPT)
                .and_then(|accept| accept.to_str().ok())
                .is_some_and(|accept| accept.contains("text/html")),
        }
}

/// To the sign-in page.
fn redirect(url: String, method: &Method) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    // As withAuth does for a page; what was posted is not for the sign-in page.
    *response.status_mut() =
        if is_read(method) { StatusCode::TEMPORARY_REDIRECT } else { StatusCode::SEE_OTHER };
    response.headers_mut().insert(LOCATION, reply::location(url));
    response.headers_mut().insert(CACHE_CONTROL, reply::NO_STORE);
    response
}

/// The sign-in page with the way back here (`docs/protocol.md` section 16); none if it is not known where
/// the site is.
fn sign_in_url<B>(guard: &RequireAuth, request: &Request<B>) -> Option<String> {
    let auth = Lookup::of(request).and_then(|lookup| lookup.auth()).ok()?;
    let page = sign_in_page(guard, &auth)?;
    let origin = auth.origin(request.into())?;
    let (origin, uri) = (origin.as_str(), original_uri(request));
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    let mut url = String::with_capacity(2 * origin.len() + 3 * here.len() + 64);
    if page.starts_with('/') {
        url.push_str(origin);
    }
    url.push_str(page);
    url.push(if url.contains('?') { '&' } else { '?' });
    let start = url.len();
    let mut query = form_urlencoded::Serializer::for_suffix(url, start);
    let here = on_this_site(here);
    let rest = page.strip_prefix(origin);
    let elsewhere =
        !page.starts_with('/') && !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let keeps_query = match auth.settings.rules.sign_in_link {
        SignInLink::PathOnly => false,
        SignInLink::KeepQuery => true,
    };
    if keeps_query {
        let kept = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        query.extend_pairs(kept.filter(|(name, _)| name != "callbackUrl"));
    }
    let way_back = if keeps_query || elsewhere { format!("{origin}{here}").into() } else { here };
    query.append_pair("callbackUrl", &way_back);
    Some(query.finish())
}

/// Where the request was sent before a router took a prefix away.
#[cfg(feature = "axum")]
pub(super) fn original_uri<B>(request: &Request<B>) -> &Uri {
    let original = request.extensions().get::<axum::extract::OriginalUri>();
    original.map_or(request.uri(), |axum::extract::OriginalUri(uri)| uri)
}

#[cfg(not(feature = "axum"))]
pub(super) fn original_uri<B>(request: &Request<B>) -> &Uri {
    request.uri()
}

/// A path that a page may follow as it is: two slashes at its beginning would name a host.
fn on_this_site(path: &str) -> Cow<'_, str> {
    let rest = path.trim_start_matches(['/', '\\']);
    if path.len() == rest.len() + 1 && path.starts_with('/') {
        return Cow::Borrowed(path);
    }
    Cow::Owned(format!("/{rest}"))
}
