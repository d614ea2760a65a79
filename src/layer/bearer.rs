//! `Authorization: Bearer` (RFC 6750 section 2.1; `docs/protocol.md` section 16).

use std::borrow::Cow;

use http::{HeaderMap, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;

use crate::{auth::Auth, cookie::is_well_formed, grpc, head::Head};

/// Whether a token in `Authorization` is a session for this request.
pub(super) fn is_session(auth: &Auth, request: Head<'_>) -> bool {
    auth.settings.bearer_sessions || grpc::is_call(request)
}

/// The token of `Authorization: Bearer TOKEN`. The scheme is compared with case and the token percent-decoded,
/// as `getToken` does; what does not decode is none, and so are two of them.
pub(super) fn token(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = values.next()?.to_str().ok()?.strip_prefix("Bearer ")?;
    if values.next().is_some() || token.is_empty() || !is_well_formed(token.as_bytes()) {
        return None;
    }
    percent_decode_str(token).decode_utf8().ok()
}
