//! The sign-out page.

use super::style::Style;

pub(crate) fn page(style: &Style, base: &str, csrf_token: &str) -> String {
    style.page("Sign Out", "signout", |html| {
        html.raw("<h1>Signout</h1><p>Are you sure you want to sign out?</p><form method=\"POST\"")
            .attribute("action", &format!("{base}/signout"))
            .raw(">")
            .hidden("csrfToken", csrf_token)
            .raw("<button id=\"submitButton\" type=\"submit\">Sign out</button></form>");
    })
}
