//! What gRPC looks like in HTTP, whoever serves it: how a request is known and how it is refused.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{error::SessionError, head::Head};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The messages of refusals.
pub(crate) const NOT_SIGNED_IN: &str = "sign in first";
pub(crate) const STALE: &str = "sign in again: the last time is too long ago";
pub(crate) const NOT_ALLOWED: &str = "this user may not do that";

/// The status codes that an answer of ours may have; the numbers are gRPC's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    PermissionDenied = 7,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl From<&SessionError> for Code {
    fn from(error: &SessionError) -> Self {
        if error.status() == StatusCode::SERVICE_UNAVAILABLE { Self::Unavailable } else { Self::Internal }
    }
}

/// The content types of gRPC and gRPC-Web, longest first where one begins another.
const KINDS: [&str; 6] = [
    "application/grpc-web-text+proto",
    "application/grpc-web-text",
    "application/grpc-web+proto",
    "application/grpc-web",
    "application/grpc+proto",
    "application/grpc",
];

/// The content type that answers headers with this one; none if they are not of a gRPC request.
fn kind(headers: &HeaderMap) -> Option<&'static str> {
    let kind = headers.get(CONTENT_TYPE)?.as_bytes();
    KINDS.into_iter().find(|known| kind.starts_with(known.as_bytes()))
}

/// Whether headers are those of a gRPC or gRPC-Web request. Browsers send none across sites without asking first.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    kind(headers).is_some()
}

/// Whether a request is a call: a `POST` with such headers. Where the method is unknown it was one.
pub(crate) fn is_call(request: Head<'_>) -> bool {
    request.method.is_none_or(|method| *method == Method::POST) && is_grpc(request.headers)
}

/// What a message cannot carry as it is: everything but visible ASCII, and the sign of the encoding itself.
const UNSAFE_IN_MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// An answer that is nothing but a status: its headers are its trailers. `request` are the headers of the call.
pub(crate) fn refusal(request: &HeaderMap, code: Code, message: &str) -> Response<Bytes> {
    let message = utf8_percent_encode(message, UNSAFE_IN_MESSAGE).to_string();
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(request).unwrap_or("application/grpc")));
    headers.insert(GRPC_STATUS, HeaderValue::from(code as u16));
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(GRPC_MESSAGE, message);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_by_the_content_type() {
        for (kind, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web+proto", true),
            ("application/grpc-web-text", true),
            ("application/json", false),
            ("text/plain; application/grpc", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(is_grpc(&headers), expected, "{kind}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn messages_are_encoded() {
        let kind = HeaderValue::from_static("application/grpc-web+proto; charset=x");
        let request = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        let response = refusal(&request, Code::PermissionDenied, "100 % \u{fc}\n");
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers[CONTENT_TYPE], "application/grpc-web+proto");
        assert_eq!(headers[GRPC_STATUS], "7");
        assert_eq!(headers[GRPC_MESSAGE], "100 %25 %C3%BC%0A");
    }
}
