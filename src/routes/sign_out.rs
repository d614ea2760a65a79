//! `GET /signout` and `POST /signout` (`docs/protocol.md` section 6).

use http::StatusCode;

use super::Cx;
use crate::{pages, reply::Reply};

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
    let cookies = cx.auth.end(cx.session().session().as_ref(), &cx.visit).await;
    Reply::redirect(StatusCode::OK, &cx.callback_url).with_cookies(cookies)
}
