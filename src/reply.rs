//! Answers of ours, and the only place that turns them into HTTP.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPIRES, LOCATION, PRAGMA, REFERRER_POLICY,
        SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{cookie::SetCookie, dialect::Rules};

/// An answer before it is HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    content: Content,
    cookies: Vec<SetCookie>,
    /// The cookies that every answer carries (CSRF, callback URL) belong to this one too.
    keeps_request_cookies: bool,
    /// The URL of this page opens something.
    secret_url: bool,
}

#[derive(Debug)]
enum Content {
    Empty,
    Json(String),
    Text(String),
    /// A built-in page and its Content-Security-Policy.
    Page {
        html: String,
        policy: HeaderValue,
    },
    /// To a page with a form post, and as `{"url": ..}` to a script that asked for it.
    Redirect(String),
}

impl Reply {
    fn new(status: StatusCode, content: Content) -> Self {
        Self { status, content, cookies: Vec::new(), keeps_request_cookies: true, secret_url: false }
    }

    pub(crate) fn empty() -> Self {
        Self::new(StatusCode::OK, Content::Empty)
    }

    /// `json` is JSON text.
    pub(crate) fn json(status: StatusCode, json: impl Into<String>) -> Self {
        Self::new(status, Content::Json(json.into()))
    }

    pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, Content::Text(text.into()))
    }

    pub(crate) fn page(status: StatusCode, html: String, policy: HeaderValue) -> Self {
        Self::new(status, Content::Page { html, policy })
    }

    /// A redirect; `status` is what a script in JSON mode is told, where the dialect tells it.
    pub(crate) fn redirect(status: StatusCode, url: impl Into<String>) -> Self {
        Self::new(status, Content::Redirect(url.into()))
    }

    pub(crate) fn with_cookies(mut self, cookies: Vec<SetCookie>) -> Self {
        self.cookies.extend(cookies);
        self
    }

    /// Likewise, in front of those that are there.
    #[cfg(feature = "oauth")]
    pub(crate) fn with_cookies_before(mut self, mut cookies: Vec<SetCookie>) -> Self {
        cookies.append(&mut self.cookies);
        self.cookies = cookies;
        self
    }

    /// For a page whose URL opens something: browsers tell it nobody, this site included.
    ///
    /// "no-referrer" would say the same, but then they send `Origin: null` with the page's own form, too, which looks
    /// like another site. "strict-origin" keeps path and query out of every `Referer` and of `document.referrer`.
    pub(crate) fn with_secret_url(mut self) -> Self {
        self.secret_url = true;
        self
    }

    /// Leaves out the cookies that every answer carries.
    pub(crate) fn bare(mut self) -> Self {
        self.keeps_request_cookies = false;
        self
    }

    /// Makes it HTTP. `request_cookies` come before its own.
    pub(crate) fn into_response(
        self,
        rules: &Rules,
        json_mode: bool,
        request_cookies: Vec<SetCookie>,
    ) -> Response<Bytes> {
        let mut headers = HeaderMap::new();
        let (status, body) = match self.content {
            Content::Empty => (self.status, Bytes::new()),
            Content::Json(json) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
                (self.status, json.into())
            }
            Content::Text(text) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
                (self.status, text.into())
            }
            Content::Page { html, policy } => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                headers.insert(CONTENT_SECURITY_POLICY, policy);
                headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
                (self.status, html.into())
            }
            Content::Redirect(url) if json_mode => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
                // An error of v5 has no cookies and no Location either.
                if rules.json_location && self.keeps_request_cookies {
                    headers.insert(LOCATION, location(&*url));
                }
                let status = if rules.json_status { self.status } else { StatusCode::OK };
                (status, serde_json::json!({ "url": url }).to_string().into())
            }
            Content::Redirect(url) => {
                headers.insert(LOCATION, location(url));
                (StatusCode::FOUND, Bytes::new())
            }
        };
        let mut response = protected(status, headers, body);
        if self.secret_url {
            response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
        }
        let keeps = self.keeps_request_cookies || rules.cookies_everywhere;
        let mut cookies = if keeps { request_cookies } else { Vec::new() };
        cookies.extend(self.cookies);
        append_cookies(response.headers_mut(), cookies);
        response
    }
}

/// The answer to a request that is refused before anybody looks at it.
pub(crate) fn refusal(status: StatusCode, json: &'static str) -> Response<Bytes> {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
    let mut response = protected(status, headers.into_iter().collect(), json.into());
    append_cookies(response.headers_mut(), Vec::new());
    response
}

/// A response whose body a browser takes for what it is, and whose URL it tells no other site.
fn protected(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not "no-referrer": then browsers send `Origin: null` with our own forms, which looks like another site.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An answer to HEAD is the headers alone (RFC 9110 section 9.3.2). HTTP/1 servers leave a body out by
/// themselves; in HTTP/2 one breaks the stream.
pub(crate) fn for_method(mut response: Response<Bytes>, method: &Method) -> Response<Bytes> {
    if *method == Method::HEAD {
        response.body_mut().clear();
    }
    response
}

/// Appends cookies beside those that are there. A response with one of ours, and any answer of an endpoint,
/// is for one browser alone, whatever the handler said about caching.
pub(crate) fn append_cookies(headers: &mut HeaderMap, cookies: Vec<SetCookie>) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("0"));
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie.header);
    }
}

/// What a header cannot carry, and what would end a URL early.
const UNSAFE_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// A URL as a header value: what cannot stand in one is percent-encoded.
pub(crate) fn location(url: impl Into<String>) -> HeaderValue {
    let mut url = url.into();
    if let Cow::Owned(encoded) = utf8_percent_encode(&url, UNSAFE_IN_LOCATION).into() {
        url = encoded;
    }
    HeaderValue::try_from(url).unwrap_or_else(|_| HeaderValue::from_static("/"))
}

/// The `Cache-Control` of a guard's answer, whoever it is for.
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");
