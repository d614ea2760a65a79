//! The page that a mailed link opens where it asks first. It looks the same for every link: only its button finds out
//! whether the link is good.

use super::style::Style;
use crate::origin::Origin;

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Confirm<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) csrf_token: &'a str,
    /// Who will be signed in.
    pub(crate) address: &'a str,
    /// This is not the browser in which the link was asked for.
    pub(crate) is_elsewhere: bool,
}

pub(crate) fn page(style: &Style, page: &Confirm<'_>) -> String {
    style.page_of_ours("Sign In", "confirm", |html| {
        html.raw("<h1>Sign in</h1>");
        if page.is_elsewhere {
            html.raw("<div class=\"error\" role=\"alert\"><p>This link was not asked for in this browser. Whoever goes on is signed in here as <strong>")
                .text(page.address)
                .raw("</strong>. If that is not you, or you have not asked for the link, close this page.</p></div>");
        }
        html.raw("<p>Sign in to <strong>")
            .text(page.origin.host())
            .raw("</strong> as <strong>")
            .text(page.address)
            // Without an action a form is posted to the URL of its page, which is the link.
            .raw("</strong>?</p><form method=\"POST\">")
            .hidden("csrfToken", page.csrf_token)
            .raw("<button id=\"submitButton\" type=\"submit\">Sign in</button></form>");
    })
}
