//! A request without its body, borrowed: what deciding about it needs; and what a body says that it is.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, header::CONTENT_TYPE, request::Parts};

/// Where a request goes and what came with it.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    /// Unknown where a framework has taken it away (gRPC methods).
    pub(crate) method: Option<&'r Method>,
    /// Unknown there, too.
    pub(crate) uri: Option<&'r Uri>,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) extensions: &'r Extensions,
}

impl<'r, B> From<&'r Request<B>> for Head<'r> {
    fn from(request: &'r Request<B>) -> Self {
        Self {
            method: Some(request.method()),
            uri: Some(request.uri()),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self {
            method: Some(&parts.method),
            uri: Some(&parts.uri),
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// What a body is, without the parameters and in small letters (RFC 9110 section 8.3.1); empty if nothing is said.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Without the headers, which hold cookies and tokens.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("method", &self.method).finish_non_exhaustive()
    }
}
