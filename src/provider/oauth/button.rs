//! The look of a provider's button.

/// The colours of a button, as `#rrggbb`. Without them it looks like every other one.
///
/// ```
/// let style = portcullis::ButtonStyle { background: "#24292f", text: "#ffffff" };
/// # let _ = style;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ButtonStyle {
    /// The colour of the button; empty for that of the theme.
    pub background: &'static str,
    /// The colour of its text; empty for what can be read on the background.
    pub text: &'static str,
}

impl ButtonStyle {
    /// That of the theme.
    pub const PLAIN: Self = Self { background: "", text: "" };

    /// A background, and text that can be read on it.
    pub const fn of(background: &'static str) -> Self {
        Self { background, text: "" }
    }
}
