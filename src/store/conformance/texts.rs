//! Texts that a careless store takes for others.

use super::kit::random;

/// Different texts which look alike, or mean something in SQL, in patterns, in keys. Each has the same random
/// part, so that one which is cut off, padded or folded meets another of them.
pub(super) fn alike() -> Vec<String> {
    let part = random();
    let odd = [
        // Case and width.
        "a",
        "A",
        "ａ",
        "á",
        "Á",
        "a\u{301}",
        "ä",
        "ss",
        "ß",
        "ẞ",
        "i",
        "ı",
        "İ",
        "I",
        "ﬁ",
        "fi",
        "K",
        "\u{212a}",
        "k",
        // Blanks, and what shows as nothing.
        "",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\u{a0}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\u{ad}",
        // Quotes, comments, parameters, escapes.
        "'",
        "''",
        "\"",
        "`",
        "\\",
        "\\\\",
        "\\'",
        ";",
        "--",
        "/*",
        "';--",
        "' OR '1'='1",
        "$1",
        "?",
        ":x",
        "@x",
        "\\n",
        // Patterns and separators.
        "%",
        "_",
        "*",
        ".",
        "[a]",
        "{a}",
        "{",
        "}",
        "}{",
        ":",
        "::",
        "|",
        "/",
        ",",
        "#",
        "&",
        "=",
        "+",
        "%20",
        "%00",
        // Beyond the first plane.
        "🙂",
        "👩\u{200d}🚀",
        "𝒜",
        "\u{10ffff}",
    ];
    let long = "x".repeat(255 - part.len());
    let as_long = format!("{}y", &long[1..]);
    odd.into_iter().chain([long.as_str(), as_long.as_str()]).map(|odd| format!("{part}{odd}")).collect()
}

/// Texts that are not `text`, though a careless store may find it by them.
pub(super) fn near_misses(text: &str) -> Vec<String> {
    let mut near = vec![
        String::new(),
        "%".to_owned(),
        "*".to_owned(),
        "' OR '1'='1".to_owned(),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{text}%"),
        format!("{text}:"),
        format!(":{text}"),
        format!("{text}\u{200b}"),
        format!("{{{text}}}"),
        format!("urn:uuid:{text}"),
        format!("+{text}"),
        format!("0{text}"),
        format!("{text}.0"),
        text.replace('-', ""),
        text.to_uppercase(),
        text.to_lowercase(),
        text.chars().skip(1).collect(),
        text.chars().take(text.chars().count().saturating_sub(1)).collect(),
        text.chars().map(|_| '_').collect(),
        "x".repeat(10_000),
    ];
    near.retain(|other| other != text);
    near
}

/// Texts that hold U+0000, which some databases cannot store: a look-up finds nothing by them, or fails.
pub(super) fn with_nul(text: &str) -> [String; 3] {
    [format!("{text}\0"), format!("\0{text}"), format!("{text}\0x")]
}
