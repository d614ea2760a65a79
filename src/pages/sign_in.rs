//! The sign-in page.

use super::{html::Html, style::Style};
use crate::{
    dialect::Rules,
    provider::{Credentials, Email, Field, Provider},
};

/// What the page shows.
#[derive(Debug)]
pub(crate) struct SignIn<'a> {
    pub(crate) style: &'a Style,
    pub(crate) base: &'a str,
    pub(crate) providers: &'a [Provider],
    pub(crate) csrf_token: &'a str,
    pub(crate) callback_url: &'a str,
    /// What stands in the field for an address from the beginning.
    pub(crate) email: &'a str,
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
                Provider::Email(email) => email_form(html, page, email),
                #[cfg(feature = "oauth")]
                Provider::OAuth(oauth) => button_form(html, page, &oauth.id, &oauth.name),
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
        let focused = index == 0 && page.may_take_focus();
        input(html, id, field, Typed { value: "", required: false, focused });
    }
    html.raw("<button type=\"submit\">Sign in with ").text(credentials.name()).raw("</button></form>");
}

fn email_form(html: &mut Html, page: &SignIn<'_>, email: &Email) {
    let (base, id) = (page.base, email.id());
    html.raw("<form method=\"POST\"").attribute("action", &format!("{base}/signin/{id}")).raw(">");
    html.hidden("csrfToken", page.csrf_token).hidden("callbackUrl", page.callback_url);
    let field = Field::email("email", "Email").placeholder("email@example.com");
    input(html, id, &field, Typed { value: page.email, required: true, focused: page.may_take_focus() });
    html.raw("<button type=\"submit\">Sign in with ").text(email.name()).raw("</button></form>");
}

/// A button alone: the provider asks for the rest.
#[cfg(feature = "oauth")]
fn button_form(html: &mut Html, page: &SignIn<'_>, id: &str, name: &str) {
    html.raw("<form method=\"POST\"").attribute("action", &format!("{}/signin/{id}", page.base)).raw(">");
    html.hidden("csrfToken", page.csrf_token).hidden("callbackUrl", page.callback_url);
    html.raw("<button type=\"submit\"").attribute("class", &format!("button provider-{id}"));
    html.raw(">Sign in with ").text(name).raw("</button></form>");
}

/// How a field begins.
struct Typed<'a> {
    value: &'a str,
    required: bool,
    focused: bool,
}

impl SignIn<'_> {
    /// Whether the cursor may stand in the first field from the start: not where it would draw a screen reader
    /// past an error or past other ways to sign in.
    fn may_take_focus(&self) -> bool {
        self.error.is_none() && self.providers.len() == 1
    }
}

fn input(html: &mut Html, provider: &str, field: &Field, typed: Typed<'_>) {
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
    if !typed.value.is_empty() {
        html.attribute("value", typed.value);
    }
    if typed.required {
        html.raw(" required");
    }
    if typed.focused {
        html.raw(" autofocus");
    }
    html.raw("></div>");
}
