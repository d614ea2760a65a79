//! Writing HTML.

use std::fmt::Write;

/// Text that grows. What comes from elsewhere is escaped; markup is ours and static.
#[derive(Debug, Default)]
pub(super) struct Html {
    text: String,
}

impl Html {
    /// Appends markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.text.push_str(markup);
        self
    }

    /// Appends text from anywhere, fit for an element and for an attribute in quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&#39;"),
                character => self.text.push(character),
            }
        }
        self
    }

    /// Appends ` name="value"`.
    pub(super) fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// Appends a hidden field of a form.
    pub(super) fn hidden(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.raw("<input type=\"hidden\"").attribute("name", name).attribute("value", value).raw(">")
    }

    /// Appends a picture for the eye only: the `path` of a 24 by 24 drawing.
    pub(super) fn icon(&mut self, path: &'static str) -> &mut Self {
        self.raw("<svg class=\"icon\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path")
            .attribute("d", path)
            .raw("/></svg>")
    }

    /// Appends the style sheet, which may not be escaped: its text was checked when it was made.
    pub(super) fn style(&mut self, css: &str) -> &mut Self {
        let _ = write!(self.text, "<style>{css}</style>");
        self
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_text_or_attribute() {
        let mut html = Html::default();
        html.raw("<a").attribute("href", "\"'><script>&").raw(">").text("</a><script>").raw("</a>");
        assert_eq!(
            html.finish(),
            "<a href=\"&quot;&#39;&gt;&lt;script&gt;&amp;\">&lt;/a&gt;&lt;script&gt;</a>"
        );
    }
}
