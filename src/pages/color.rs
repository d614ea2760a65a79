//! Colours of a theme: read strictly, since they go into a style sheet, and measured for contrast.

use std::fmt;

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color([u8; 3]);

impl Color {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);
    /// What Auth.js takes for buttons.
    pub(super) const BRAND: Self = Self([0x34, 0x6d, 0xf1]);

    /// Reads `#rgb` and `#rrggbb`, and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8));
        let digits = digits.collect::<Option<Vec<u8>>>()?;
        match digits[..] {
            [r, g, b] => Some(Self([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] => Some(Self([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => None,
        }
    }

    /// Black or white, whichever is easier to read on this colour. The better one always reaches 4.5:1.
    pub(super) fn readable_text(self) -> Self {
        if self.contrast(Self::WHITE) >= 4.5 || self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }

    /// The contrast ratio of WCAG 2, from 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_is_read() {
        for (text, want) in [
            ("#0a7c66", Some("#0a7c66")),
            ("#F0c", Some("#ff00cc")),
            ("", None),
            ("#", None),
            ("#12345", None),
            ("#1234567", None),
            ("0a7c66", None),
            ("#0a7c6g", None),
            ("#+a7c66", None),
            ("red", None),
            ("#fff}*{x:y", None),
        ] {
            assert_eq!(Color::parse(text).map(|color| color.to_string()).as_deref(), want, "{text:?}");
        }
    }

    #[test]
    fn text_can_be_read_on_any_brand_colour() {
        for (brand, want) in
            [("#000", "#ffffff"), ("#346df1", "#ffffff"), ("#ffd60a", "#000000"), ("#fff", "#000000")]
        {
            assert_eq!(Color::parse(brand).unwrap().readable_text().to_string(), want, "{brand}");
        }
        for shade in 0..=255 {
            let brand = Color([shade, 255 - shade, shade / 2]);
            assert!(brand.contrast(brand.readable_text()) >= 4.5, "{brand}");
        }
    }
}
