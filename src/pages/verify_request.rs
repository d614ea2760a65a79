//! The page that says to look into the mail.

use super::style::Style;
use crate::origin::Origin;

pub(crate) fn page(style: &Style, origin: &Origin) -> String {
    style.page("Verify Request", "verify-request", |html| {
        html.raw("<h1>Check your email</h1><p>A sign in link has been sent to your email address.</p><p><a class=\"site\"")
            .attribute("href", origin.as_str())
            .raw(">")
            .text(origin.host())
            .raw("</a></p>");
    })
}
