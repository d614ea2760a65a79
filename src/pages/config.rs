//! What an application may change about the pages.

use std::borrow::Cow;

/// Pages of the application's own: a path of this site, or a URL.
///
/// ```
/// use portcullis::Pages;
///
/// let pages = Pages::new().sign_in("/login").error("/oops");
/// # let _ = pages;
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Pages {
    pub(crate) sign_in: Option<String>,
    pub(crate) sign_out: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) verify_request: Option<String>,
    pub(crate) new_user: Option<String>,
}

impl Pages {
    /// All built in.
    pub fn new() -> Self {
        Self::default()
    }

    /// In place of the sign-in page. It is given `callbackUrl` and, after a failure, `error`.
    pub fn sign_in(mut self, page: impl Into<String>) -> Self {
        self.sign_in = Some(page.into());
        self
    }

    /// In place of the sign-out page.
    pub fn sign_out(mut self, page: impl Into<String>) -> Self {
        self.sign_out = Some(page.into());
        self
    }

    /// In place of the error page. It is given `error`.
    pub fn error(mut self, page: impl Into<String>) -> Self {
        self.error = Some(page.into());
        self
    }

    /// In place of the page that says to look into the mail.
    pub fn verify_request(mut self, page: impl Into<String>) -> Self {
        self.verify_request = Some(page.into());
        self
    }

    /// Where users are led when they sign in for the first time. It is given `callbackUrl`.
    pub fn new_user(mut self, page: impl Into<String>) -> Self {
        self.new_user = Some(page.into());
        self
    }
}

/// How the built-in pages look.
///
/// ```
/// use portcullis::{ColorScheme, Theme};
///
/// let theme = Theme::new().color_scheme(ColorScheme::Dark).brand_color("#0a7c66").logo("/logo.svg");
/// # let _ = theme;
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Theme {
    pub(crate) color_scheme: ColorScheme,
    pub(crate) logo: Option<Cow<'static, str>>,
    pub(crate) brand_color: Option<Cow<'static, str>>,
    pub(crate) button_text: Option<Cow<'static, str>>,
}

/// Light, dark, or as the visitor's system has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColorScheme {
    /// As the visitor's system has it.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The default look.
    pub fn new() -> Self {
        Self::default()
    }

    /// Light or dark.
    pub fn color_scheme(mut self, color_scheme: ColorScheme) -> Self {
        self.color_scheme = color_scheme;
        self
    }

    /// The URL of a picture above the form: a path of this site, or https.
    pub fn logo(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.logo = Some(url.into());
        self
    }

    /// The colour of buttons, as CSS writes it in hexadecimal: `#rgb` or `#rrggbb`.
    pub fn brand_color(mut self, color: impl Into<Cow<'static, str>>) -> Self {
        self.brand_color = Some(color.into());
        self
    }

    /// The colour of the text on buttons, written likewise. Without it, a brand colour gets black or white text,
    /// whichever is easier to read.
    pub fn button_text(mut self, color: impl Into<Cow<'static, str>>) -> Self {
        self.button_text = Some(color.into());
        self
    }
}
