//! `GET /verify-request` (`docs/protocol.md` section 6).

use http::StatusCode;

use super::{Cx, email};
use crate::{pages, reply::Reply};

pub(super) fn page(cx: &Cx) -> Reply {
    match (&cx.site.pages.verify_request, cx.parts.uri.query()) {
        (Some(page), Some(query)) if cx.auth.settings.rules.verify_request_query => {
            Reply::redirect(StatusCode::OK, format!("{page}?{query}"))
        }
        (Some(page), _) => Reply::redirect(StatusCode::OK, page),
        (None, _) => {
            let form = email::code_form(cx);
            let html = pages::verify_request(&cx.site.style, &cx.origin, form.as_ref());
            cx.page(StatusCode::OK, html)
        }
    }
}
