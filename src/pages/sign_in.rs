//! The sign-in page.

use super::{html::Html, style::Style};
use crate::{
    dialect::Rules,
    provider::{Credentials, Field, Provider},
};

/// What the page shows.
#[derive(Debug)]
pub(crate) struct SignIn<'a> {
    pub(crate) style: &'a Style,
    pub(crate) base: &'a str,
    pub(crate) providers: &'a [Provider],
    pub(crate) csrf_token: &'a str,
    pub(crate) callback_url: &'a str,
    pub(crate) error: Option<&'static str>,
}

/// The sentence for an error code (`docs/protocol.md` section 13.3). The code itself is never shown.
pub(crate) fn message(code: &str, rules: &Rules) -> Option<&'static str> {
    Some(match code {
        "" => return None,
        code if rules.try_another_account.contains(&code) => "Try signing in with a different account.",
        "OAuthAccountNotLinked" => {
            "To confirm your identity, sign in with the same account you used originally."
        }
        "EmailSignin" => rules.email_sign_in_message,
        "CredentialsSignin" => "Sign in failed. Check the details you provided are correct.",
        "SessionRequired" if rules.explains_session_required => "Please sign in to access this page.",
        _ => "Unable to sign in.",
    })
}

pub(crate) fn page(page: &SignIn<'_>) -> String {
    page.style.page("Sign In", "signin", |html| {
        html.raw("<h1>Sign in</h1>");
        if let Some(error) = page.error {
            html.raw("<div class=\"error\" role=\"alert\"><p>").raw(error).raw("</p></div>");
        }
        for provider in page.providers {
            html.raw("<div class=\"provider\">");
            match provider {
                Provider::Credentials(credentials) => form(html, page, credentials),
            }
            html.raw("</div>");
        }
    })
}

fn form(html: &mut Html, page: &SignIn<'_>, credentials: &Credentials) {
    let (base, id) = (page.base, credentials.id());
    html.raw("<form method=\"POST\"").attribute("action", &format!("{base}/callback/{id}")).raw(">");
    html.hidden("csrfToken", page.csrf_token).hidden("callbackUrl", page.callback_url);
    for (index, field) in credentials.fields().iter().enumerate() {
        input(html, id, field, index == 0 && page.may_take_focus());
    }
    html.raw("<button type=\"submit\">Sign in with ").text(credentials.name()).raw("</button></form>");
}

impl SignIn<'_> {
    /// Whether the cursor may stand in the first field from the start: not where it would draw a screen reader
    /// past an error or past other ways to sign in.
    fn may_take_focus(&self) -> bool {
        self.error.is_none() && self.providers.len() == 1
    }
}

fn input(html: &mut Html, provider: &str, field: &Field, takes_focus: bool) {
    let id = format!("input-{}-for-{provider}-provider", field.name);
    html.raw("<div class=\"field\"><label")
        .attribute("for", &id)
        .raw(">")
        .text(&field.label)
        .raw("</label><input");
    html.attribute("id", &id).attribute("name", &field.name).attribute("type", field.kind);
    for (name, value) in [("placeholder", &field.placeholder), ("autocomplete", &field.autocomplete)] {
        if let Some(value) = value {
            html.attribute(name, value);
        }
    }
    if matches!(field.autocomplete.as_deref(), Some("username" | "email")) {
        // Phones would begin it with a capital letter and mend its spelling.
        html.raw(" autocapitalize=\"none\" spellcheck=\"false\"");
    }
    if takes_focus {
        html.raw(" autofocus");
    }
    html.raw("></div>");
}
