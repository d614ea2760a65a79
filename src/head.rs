//! A request without its body, borrowed: what deciding about it needs.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, request::Parts};

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

/// Without the headers, which hold cookies and tokens.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("method", &self.method).finish_non_exhaustive()
    }
}
