//! The look of the pages: one style sheet, made once from the theme, and the policy that allows it.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::{
    color::Color,
    config::{ColorScheme, Theme},
    html::Html,
};
use crate::{error::ConfigError, provider::Provider};

const SHEET: &str = include_str!("style.css");

/// A checked theme.
#[derive(Debug)]
pub(crate) struct Style {
    css: String,
    policy: HeaderValue,
    color_scheme: ColorScheme,
    logo: Option<String>,
    button: (Color, Color),
}

impl Style {
    /// The look of this theme, with the buttons of these providers in their own colours.
    pub(crate) fn new(theme: &Theme, providers: &[Provider]) -> Result<Self, ConfigError> {
        let mut problems = ConfigError::none();
        let mut css = SHEET.to_owned();
        let mut set = |variable: &str, color: Color| css.push_str(&format!(":root{{{variable}:{color}}}"));
        let mut read = |text: &str| {
            let color = Color::parse(text);
            if color.is_none() {
                problems.add(format!("{text:?} is no colour"), "write it as #rgb or #rrggbb");
            }
            color
        };
        let brand_color = theme.brand_color.as_deref().and_then(&mut read);
        let button_text = theme.button_text.as_deref().and_then(&mut read);
        if let Some(color) = brand_color {
            set("--brand-color", color);
        }
        if let Some(color) = button_text.or(brand_color.map(Color::readable_text)) {
            set("--button-text-color", color);
        }
        for provider in providers {
            let [background, text] = provider.button_colors().map(|color| match color {
                "" => None,
                color => read(color),
            });
            css.push_str(&button_rule(provider.id(), background, text));
        }
        let logo = theme.logo.as_deref().map(str::to_owned);
        if logo.as_ref().is_some_and(|logo| {
            !(logo.starts_with('/') && !logo.starts_with("//") || logo.starts_with("https://"))
        }) {
            problems.add(
                "the logo is neither a path of this site nor an https URL",
                "use something like /logo.svg",
            );
        }
        problems.into_result()?;
        let hash = STANDARD.encode(Sha256::digest(&css));
        // No form-action: browsers apply it to the redirects after a post too, and a sign-in may lead elsewhere.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src 'self' https:; base-uri 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy)
            .map_err(|_| ConfigError::one("the theme makes no valid policy", "report this"))?;
        let background = brand_color.unwrap_or(Color::BRAND);
        let button = (background, button_text.unwrap_or(background.readable_text()));
        Ok(Self { css, policy, color_scheme: theme.color_scheme, logo, button })
    }

    /// The Content-Security-Policy of every page: this style sheet, pictures, and nothing else.
    pub(crate) fn policy(&self) -> &HeaderValue {
        &self.policy
    }

    /// Background and text of a button, for mail, which has no style sheet.
    pub(super) fn button_colors(&self) -> (Color, Color) {
        self.button
    }

    /// A page around `content`. `kind` is the class that Auth.js gives it.
    pub(super) fn page(
        &self,
        title: &'static str,
        kind: &'static str,
        content: impl FnOnce(&mut Html),
    ) -> String {
        self.page_with(self.logo.as_deref(), title, kind, content)
    }

    /// Likewise, with nothing on it that comes from another site.
    pub(super) fn page_of_ours(
        &self,
        title: &'static str,
        kind: &'static str,
        content: impl FnOnce(&mut Html),
    ) -> String {
        let logo = self.logo.as_deref().filter(|logo| logo.starts_with('/'));
        self.page_with(logo, title, kind, content)
    }

    fn page_with(
        &self,
        logo: Option<&str>,
        title: &'static str,
        kind: &'static str,
        content: impl FnOnce(&mut Html),
    ) -> String {
        let (schemes, body_class) = match self.color_scheme {
            ColorScheme::Auto => ("light dark", "__next-auth-theme-auto"),
            ColorScheme::Light => ("light", "__next-auth-theme-light"),
            ColorScheme::Dark => ("dark", "__next-auth-theme-dark"),
        };
        let mut html = Html::default();
        html.raw("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
            .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .raw("<meta name=\"color-scheme\" content=\"")
            .raw(schemes)
            .raw("\">")
            .style(&self.css)
            .raw("<title>")
            .raw(title)
            .raw("</title></head><body class=\"")
            .raw(body_class)
            .raw("\"><main class=\"page\"><div class=\"")
            .raw(kind)
            .raw("\"><div class=\"card\">");
        if let Some(logo) = logo {
            html.raw("<img class=\"logo\" alt=\"\"").attribute("src", logo).raw(">");
        }
        content(&mut html);
        html.raw("</div></div></main></body></html>");
        html.finish()
    }
}

/// The colours of a provider's button. Ids are checked where providers are: of what they may have, only the dot has a
/// meaning in a selector.
fn button_rule(id: &str, background: Option<Color>, text: Option<Color>) -> String {
    let Some(background) = background else { return String::new() };
    let text = text.unwrap_or(background.readable_text());
    let id = id.replace('.', "\\.");
    format!(".provider-{id}{{--provider-color:{background};--provider-text-color:{text}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_cannot_break_out() {
        for (theme, wrong) in [
            (Theme::new().brand_color("red;}</style><script>"), "no colour"),
            (Theme::new().button_text("#12345"), "no colour"),
            (Theme::new().logo("javascript:alert(1)"), "logo"),
            (Theme::new().logo("//evil.example/x.png"), "logo"),
        ] {
            assert!(Style::new(&theme, &[]).unwrap_err().to_string().contains(wrong), "{theme:?}");
        }
        assert!(Style::new(&Theme::new().brand_color("#0a7c66").logo("/logo.svg"), &[]).is_ok());
    }
}
