//! `POST /_log`: what the browser client of v3 and v4 could not do (`docs/protocol.md` section 6).

use super::Cx;
use crate::reply::Reply;

/// Anybody can send anything here, so only the level and a short code are logged, as data and never as text.
pub(super) fn take(cx: &Cx) -> Reply {
    let code: String =
        cx.body.text("code").unwrap_or_default().chars().take(64).filter(char::is_ascii_graphic).collect();
    // Never as an error: anybody could raise an alarm with that.
    match cx.body.text("level") {
        Some("debug") => tracing::debug!(target: "portcullis::browser", code, "the browser client says"),
        _ => tracing::warn!(target: "portcullis::browser", code, "the browser client has failed"),
    }
    Reply::empty().bare()
}
