//! How somebody is refused: the one table from a refusal to a response.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
};

use super::rule::Answer;
use crate::{
    auth::{Auth, SignInError},
    dialect::SignInLink,
    error::SessionError,
    layer::{AuthRequest, Lookup},
    reply,
};

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotSignedIn,
    Forbidden,
    Failed(SessionError),
}

pub(super) fn refuse(
    request: &impl AuthRequest,
    uri: &Uri,
    method: &Method,
    answer: Answer,
    refusal: &Refusal,
) -> Response<Bytes> {
    let page = match answer {
        Answer::Page => true,
        Answer::Json => false,
        Answer::Auto => is_page(method, request.head().headers),
    };
    match refusal {
        Refusal::NotSignedIn if page => to_sign_in(request, uri, method).unwrap_or_else(unauthorized),
        Refusal::NotSignedIn => unauthorized(),
        Refusal::Forbidden => forbidden(),
        Refusal::Failed(failed) => failure(failed),
    }
}

/// The response for a session that cannot be known.
pub(crate) fn failure(failed: &SessionError) -> Response<Bytes> {
    error(failed.status(), failed.code(), &failed.to_string())
}

/// The response for somebody who is not signed in and asked for no page.
pub(crate) fn unauthorized() -> Response<Bytes> {
    let mut response = json(StatusCode::UNAUTHORIZED, UNAUTHORIZED.into());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn forbidden() -> Response<Bytes> {
    json(StatusCode::FORBIDDEN, FORBIDDEN.into())
}

// Ready-made: refusing should cost less than the handler would.
const UNAUTHORIZED: &str = r#"{"error":"Unauthorized","message":"sign in first"}"#;
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

/// A redirect to the sign-in page that leads back here (`docs/protocol.md` section 16).
fn to_sign_in(request: &impl AuthRequest, uri: &Uri, method: &Method) -> Option<Response<Bytes>> {
    let lookup = Lookup::of(request).ok()?;
    let auth = lookup.auth().ok()?;
    let origin = auth.origin(request.head())?;
    let page = auth.settings.sign_in_page.as_deref()?;
    let url = sign_in_url(&auth, page, origin.as_str(), uri);
    let mut response = Response::new(Bytes::new());
    // As withAuth does for a page; what was posted is not for the sign-in page.
    *response.status_mut() =
        if is_read(method) { StatusCode::TEMPORARY_REDIRECT } else { StatusCode::SEE_OTHER };
    response.headers_mut().insert(LOCATION, reply::location(url));
    response.headers_mut().insert(CACHE_CONTROL, reply::NO_STORE);
    Some(response)
}

fn sign_in_url(auth: &Auth, page: &str, origin: &str, uri: &Uri) -> String {
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
    match auth.settings.rules.sign_in_link {
        SignInLink::PathOnly => {
            query.append_pair("callbackUrl", &here);
        }
        SignInLink::KeepQuery => {
            let kept = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            query.extend_pairs(kept.filter(|(name, _)| name != "callbackUrl"));
            query.append_pair("callbackUrl", &format!("{origin}{here}"));
        }
    }
    query.finish()
}

/// A path that a page may follow as it is: two slashes at its beginning would name a host.
fn on_this_site(path: &str) -> Cow<'_, str> {
    let rest = path.trim_start_matches(['/', '\\']);
    if path.len() == rest.len() + 1 && path.starts_with('/') {
        return Cow::Borrowed(path);
    }
    Cow::Owned(format!("/{rest}"))
}
