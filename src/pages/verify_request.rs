//! The page that says to look into the mail.

use super::style::Style;
use crate::origin::Origin;

const ENVELOPE: &str = "M2.5 5h19v14h-19zM3 6l9 7 9-7";

/// The form for a code that stands in the mail.
#[derive(Debug)]
pub(crate) struct CodeForm<'a> {
    pub(crate) base: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) csrf_token: &'a str,
    /// The last one was another code.
    pub(crate) was_wrong: bool,
}

pub(crate) fn page(style: &Style, origin: &Origin, form: Option<&CodeForm<'_>>) -> String {
    style.page("Verify Request", "verify-request", |html| {
        html.icon(ENVELOPE)
            .raw("<h1>Check your email</h1><p>A sign in link has been sent to your email address.</p>");
        if let Some(form) = form {
            if form.was_wrong {
                html.raw("<div class=\"error\" role=\"alert\"><p>That is not the code. Check the last mail.</p></div>");
            }
            html.raw("<form method=\"POST\"")
                .attribute("action", &format!("{}/callback/{}", form.base, form.provider))
                .raw(">")
                .hidden("csrfToken", form.csrf_token)
                .raw("<div class=\"field\"><label for=\"input-code\">Or type the code from the mail</label>")
                .raw("<input id=\"input-code\" name=\"code\" type=\"text\" inputmode=\"numeric\"")
                .raw(" autocomplete=\"one-time-code\" required></div>")
                .raw("<button type=\"submit\">Sign in</button></form>");
        }
        html.raw("<p><a class=\"site\"")
            .attribute("href", origin.as_str())
            .raw(">")
            .text(origin.host())
            .raw("</a></p>");
    })
}
