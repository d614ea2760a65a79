//! `GET /signout` and `POST /signout` (`docs/protocol.md` section 6).

use http::StatusCode;

use super::Cx;
use crate::{error::ErrorCode, pages, reply::Reply, session::LiveSession};

/// Asks; nothing changes.
pub(super) fn page(cx: &Cx) -> Reply {
    match &cx.site.pages.sign_out {
        Some(page) => Reply::redirect(StatusCode::OK, page),
        None => {
            let html = pages::sign_out(&cx.site.style, &cx.base, &cx.csrf.token);
            cx.page(StatusCode::OK, html)
        }
    }
}

pub(super) async fn end(cx: &Cx) -> Reply {
    if !cx.is_verified() {
        return cx.fail_csrf("signout");
    }
    let Some(sessions) = cx.all_sessions().await else { return unavailable(cx) };
    match cx.auth.end(&sessions, &cx.visit).await {
        Ok(cookies) => Reply::redirect(StatusCode::OK, after(cx, &sessions).await).with_cookies(cookies),
        Err(_) => unavailable(cx),
    }
}

/// Where the browser goes then: where it wants to, or to sign out at its provider, too.
async fn after(cx: &Cx, sessions: &[LiveSession]) -> String {
    #[cfg(feature = "oauth")]
    for session in sessions {
        if let Some(url) = cx.auth.end_session_url(session, cx.origin.as_str()).await {
            return url;
        }
    }
    #[cfg(not(feature = "oauth"))]
    let _ = sessions;
    cx.callback_url.clone()
}

/// A session that cannot be ended now goes on: who is told "signed out" believes it. The cookie stays, so that it
/// can be tried again.
fn unavailable(cx: &Cx) -> Reply {
    cx.fail(ErrorCode::Configuration, None, StatusCode::SERVICE_UNAVAILABLE)
}
