//! The page that says to look into the mail.

use super::style::Style;
use crate::origin::Origin;

const ENVELOPE: &str = "M2.5 5h19v14h-19zM3 6l9 7 9-7";

pub(crate) fn page(style: &Style, origin: &Origin) -> String {
    style.page("Verify Request", "verify-request", |html| {
        html.icon(ENVELOPE)
            .raw("<h1>Check your email</h1><p>A sign in link has been sent to your email address.</p>")
            .raw("<p><a class=\"site\"")
            .attribute("href", origin.as_str())
            .raw(">")
            .text(origin.host())
            .raw("</a></p>");
    })
}
