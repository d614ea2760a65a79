//! What holds for all pages.

use base64::{Engine, engine::general_purpose::STANDARD};
use regex::Regex;
use sha2::{Digest, Sha256};

use super::*;
use crate::{Credentials, Dialect, Field, OriginPolicy, Provider, Submitted, User};

const EVIL: &str = "\"'><script>alert(1)</script><b onclick=x style=x>&";
const BASE: &str = "https://app.example/api/auth";

#[test]
fn everything_dynamic_is_escaped() {
    let field = Field::text(EVIL, EVIL).placeholder(EVIL).autocomplete(EVIL);
    let page = SignInCase {
        providers: vec![credentials().with_id(EVIL).with_name(EVIL).field(field).into()],
        csrf_token: EVIL,
        callback_url: EVIL,
        ..SignInCase::default()
    };
    let style = style(&Theme::new().logo(format!("/{EVIL}")));
    let confirmed = confirm(&style, &Confirm { csrf_token: EVIL, ..confirmation(EVIL, true) });
    let origin = &policy().known()[0].clone();
    let code = verify_request(&style, origin, Some(&CodeForm { provider: EVIL, ..code_form(EVIL) }));
    for (page, places) in [
        (page.render(&style), 13),
        (sign_out(&style, EVIL, EVIL), 3),
        (confirmed, 4),
        (code, 3),
        (sign_in_mail(&style, EVIL, EVIL, Some(EVIL)).2, 3),
    ] {
        let escaped = "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b onclick=x style=x&gt;&amp;";
        assert_eq!(page.matches(escaped).count(), places, "{page}");
        assert!(!page.contains(EVIL) && !page.contains("<script") && !page.contains("<b "), "{page}");
    }
}

#[test]
fn codes_are_never_shown() {
    let style = style(&Theme::new());
    let codes =
        ["OAuthAccountNotLinked", "EmailSignin", "CredentialsSignin", "SessionRequired", "Own-Code", EVIL];
    for dialect in Dialect::ALL {
        for code in codes {
            let error = sign_in_message(code, dialect.rules());
            assert!(error.is_some(), "{code}");
            let page = SignInCase { error, ..SignInCase::default() }.render(&style);
            assert!(page.contains("role=\"alert\"") && !page.contains(code), "{dialect}: {page}");
        }
        for code in ["Configuration", "AccessDenied", "Verification", "Default", "Own-Code", EVIL] {
            let page = error_page(&style, ErrorMessage::of(code, dialect.rules()));
            assert!(!page.contains(code), "{dialect}: {page}");
        }
    }
}

#[test]
fn without_an_error_there_is_no_banner() {
    assert_eq!(sign_in_message("", Dialect::V4.rules()), None);
    assert!(!SignInCase::default().render(&style(&Theme::new())).contains("role=\"alert\""));
}

#[test]
fn the_theme_is_seen_on_every_page() {
    for (scheme, class, meta) in [
        (ColorScheme::Auto, "__next-auth-theme-auto", "light dark"),
        (ColorScheme::Light, "__next-auth-theme-light", "light"),
        (ColorScheme::Dark, "__next-auth-theme-dark", "dark"),
    ] {
        let theme = Theme::new().color_scheme(scheme).brand_color("#0a7c66").button_text("#fefefe");
        for page in all(&style(&theme.logo("/logo.svg"))) {
            for want in [
                format!("<body class=\"{class}\">"),
                format!("<meta name=\"color-scheme\" content=\"{meta}\">"),
                ":root{--brand-color:#0a7c66}".to_owned(),
                ":root{--button-text-color:#fefefe}".to_owned(),
                "<img class=\"logo\" alt=\"\" src=\"/logo.svg\">".to_owned(),
            ] {
                assert!(page.contains(&want), "{want} is missing: {page}");
            }
        }
    }
}

#[test]
fn button_text_suits_the_brand_colour() {
    for (brand, text) in [("#ffd60a", "#000000"), ("#222", "#ffffff")] {
        let page = sign_out(&style(&Theme::new().brand_color(brand)), BASE, "token");
        assert!(page.contains(&format!(":root{{--button-text-color:{text}}}")), "{brand}: {page}");
    }
}

#[test]
fn the_policy_allows_the_style_sheet_of_the_page() {
    for theme in [Theme::new(), Theme::new().brand_color("#0a7c66").button_text("#fff").logo("/logo.svg")] {
        let style = style(&theme);
        for page in all(&style) {
            let sheets: Vec<_> = captures("<style>(?s:(.*?))</style>", &page);
            assert_eq!(sheets.len(), 1, "{page}");
            let source = format!("style-src 'sha256-{}'", STANDARD.encode(Sha256::digest(&sheets[0])));
            let policy = style.policy().to_str().unwrap();
            assert!(policy.split("; ").any(|directive| directive == source), "{source}: {policy}");
        }
    }
}

#[test]
fn pages_hold_nothing_that_the_policy_forbids() {
    let forbidden =
        Regex::new(r#"(?i)<script|<link|<iframe|\sstyle\s*=|\son[a-z]+\s*=|javascript:|@import|url\("#);
    for page in all(&style(&Theme::new().logo("/logo.svg"))) {
        let found = forbidden.as_ref().unwrap().find(&page);
        assert!(found.is_none(), "{found:?}");
    }
}

#[test]
fn pages_have_a_language_a_title_and_one_heading() {
    for page in all(&style(&Theme::new())) {
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{page}");
        for element in ["title", "h1", "main"] {
            assert_eq!(captures(&format!("<({element})[ >]"), &page).len(), 1, "{element}: {page}");
        }
    }
}

#[test]
fn every_visible_input_has_its_label() {
    let page = SignInCase::default().render(&style(&Theme::new()));
    let inputs = captures("<input id=\"([^\"]*)\"", &page);
    assert_eq!(
        inputs,
        ["input-username-for-credentials-provider", "input-password-for-credentials-provider"]
    );
    assert_eq!(captures("<label for=\"([^\"]*)\"", &page), inputs);
    assert_eq!(page.matches("<input").count(), inputs.len() + page.matches("type=\"hidden\"").count());
}

#[test]
fn the_cursor_does_not_skip_anything() {
    let one = || vec![two_fields().into()];
    for (providers, error, autofocus) in [
        (one(), None, 1),
        (one(), Some("Unable to sign in."), 0),
        (vec![two_fields().into(), two_fields().with_id("pin").into()], None, 0),
        (vec![], None, 0),
    ] {
        let case = SignInCase { providers, error, ..SignInCase::default() };
        let page = case.render(&style(&Theme::new()));
        assert_eq!(page.matches(" autofocus>").count(), autofocus, "{page}");
    }
}

/// A sign-in page, apart from what a test wants otherwise.
struct SignInCase {
    providers: Vec<Provider>,
    csrf_token: &'static str,
    callback_url: &'static str,
    error: Option<&'static str>,
}

impl Default for SignInCase {
    fn default() -> Self {
        Self {
            providers: vec![two_fields().into()],
            csrf_token: "0123abc",
            callback_url: "https://app.example/dash",
            error: None,
        }
    }
}

impl SignInCase {
    fn render(&self, style: &Style) -> String {
        sign_in(&SignIn {
            style,
            base: BASE,
            providers: &self.providers,
            csrf_token: self.csrf_token,
            callback_url: self.callback_url,
            email: "",
            error: self.error,
        })
    }
}

/// Each page, and the error page with each of its messages.
fn all(style: &Style) -> Vec<String> {
    let failed = SignInCase { error: Some("Unable to sign in."), ..SignInCase::default() };
    let messages = [
        ErrorMessage::Default,
        ErrorMessage::Configuration,
        ErrorMessage::AccessDenied,
        ErrorMessage::Verification,
    ];
    let mut pages: Vec<_> = messages.into_iter().map(|message| error_page(style, message)).collect();
    pages.extend([
        SignInCase::default().render(style),
        failed.render(style),
        sign_out(style, BASE, "token"),
        verify_request(style, &policy().known()[0], None),
        verify_request(style, &policy().known()[0], Some(&code_form("token"))),
        confirm(style, &confirmation("pat@app.example", false)),
        confirm(style, &confirmation("pat@app.example", true)),
    ]);
    pages
}

fn error_page(style: &Style, message: ErrorMessage) -> String {
    error(style, BASE, &policy().known()[0], message)
}

fn code_form(csrf_token: &str) -> CodeForm<'_> {
    CodeForm { base: BASE, provider: "email", csrf_token, was_wrong: true }
}

fn confirmation(address: &str, is_elsewhere: bool) -> Confirm<'_> {
    static ORIGIN: std::sync::LazyLock<OriginPolicy> = std::sync::LazyLock::new(policy);
    Confirm { origin: &ORIGIN.known()[0], csrf_token: "token", address, is_elsewhere }
}

fn policy() -> OriginPolicy {
    OriginPolicy::fixed("https://app.example").unwrap()
}

fn style(theme: &Theme) -> Style {
    Style::new(theme, &[]).unwrap()
}

fn credentials() -> Credentials {
    Credentials::new(async |_: Submitted| Ok::<Option<User>, crate::BoxError>(None))
}

fn two_fields() -> Credentials {
    credentials().field(Field::text("username", "Username")).field(Field::password("password", "Password"))
}

/// What the first group of `pattern` matches.
fn captures(pattern: &str, text: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}
