//! `GET /error` (`docs/protocol.md` sections 6 and 13).

use http::StatusCode;

use super::Cx;
use crate::{pages, reply::Reply};

/// Hands the code on to the page that explains it. In v3 and v4 it may be a segment of the path.
pub(super) fn page(cx: &Cx, segment: Option<&str>) -> Reply {
    let rules = cx.auth.settings.rules;
    let code = cx.query.text("error").or(segment);
    let to_sign_in = code.filter(|code| rules.error_to_sign_in.contains(code));
    let custom = cx.site.pages.error.as_deref();
    match (to_sign_in, custom) {
        (_, Some(page)) if rules.error_page_first || to_sign_in.is_none() => {
            Reply::redirect(StatusCode::OK, cx.with_parameter(page, "error", code.unwrap_or("undefined")))
        }
        (Some(code), _) => Reply::redirect(StatusCode::OK, format!("{}/signin?error={code}", cx.base)),
        _ => {
            let message = pages::ErrorMessage::of(code.unwrap_or_default(), rules);
            let html = pages::error(&cx.site.style, &cx.base, &cx.origin, message);
            cx.page(message.status(), html)
        }
    }
}
