//! What gRPC looks like in HTTP, whoever serves it: how a request is known and how it is refused.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::SessionError;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The messages of refusals.
pub(crate) const NOT_SIGNED_IN: &str = "sign in first";
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

/// Whether a request is gRPC or gRPC-Web: both begin their content type alike.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// What a message cannot carry as it is: everything but visible ASCII, and the sign of the encoding itself.
const UNSAFE_IN_MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// An answer that is nothing but a status: its headers are its trailers. `kind` is the content type of the
/// request, which is repeated.
pub(crate) fn refusal(kind: Option<&HeaderValue>, code: Code, message: &str) -> Response<Bytes> {
    let message = utf8_percent_encode(message, UNSAFE_IN_MESSAGE).to_string();
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    let kind = kind.cloned().unwrap_or(HeaderValue::from_static("application/grpc"));
    headers.insert(CONTENT_TYPE, kind);
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
        let kind = HeaderValue::from_static("application/grpc-web+proto");
        let response = refusal(Some(&kind), Code::PermissionDenied, "100 % \u{fc}\n");
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers[CONTENT_TYPE], kind);
        assert_eq!(headers[GRPC_STATUS], "7");
        assert_eq!(headers[GRPC_MESSAGE], "100 %25 %C3%BC%0A");
    }
}
