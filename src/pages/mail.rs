//! The mail with a sign-in link, as Auth.js writes it (`docs/protocol.md` section 8).

use super::{html::Html, style::Style};

const TYPE_CODE: &str = "Or type this code, in the browser where you asked for it and nowhere else:";

/// Subject, text and HTML. The address is not in it: whoever asks for a mail to somebody else writes nothing there.
pub(crate) fn sign_in_mail(
    style: &Style,
    host: &str,
    url: &str,
    code: Option<&str>,
) -> (String, String, String) {
    let subject = format!("Sign in to {host}");
    let mut text = format!("Sign in to {host}\n{url}\n\n");
    if let Some(code) = code {
        text.push_str(&format!("{TYPE_CODE} {code}\n\n"));
    }
    let (background, color) = style.button_colors();
    let mut html = Html::default();
    html.raw("<!DOCTYPE html><html lang=\"en\"><body style=\"margin:0;padding:24px 0;background:#f9f9f9\">")
        .raw("<table role=\"presentation\" width=\"100%\" cellspacing=\"0\" cellpadding=\"0\" style=\"max-width:600px;margin:auto;background:#fff;border-radius:10px;font-family:Helvetica,Arial,sans-serif;color:#444\">")
        .raw("<tr><td align=\"center\" style=\"padding:24px 16px 0;font-size:22px\">Sign in to <strong>");
    // Programs for mail make links of names with dots.
    for (index, part) in host.split('.').enumerate() {
        if index > 0 {
            html.raw("&#8203;.");
        }
        html.text(part);
    }
    html.raw("</strong></td></tr><tr><td align=\"center\" style=\"padding:24px 16px\"><a target=\"_blank\"")
        .attribute("href", url)
        .attribute(
            "style",
            &format!(
                "display:inline-block;padding:12px 22px;border-radius:6px;background:{background};color:{color};font-size:18px;font-weight:bold;text-decoration:none"
            ),
        )
        .raw(">Sign in</a></td></tr>");
    if let Some(code) = code {
        html.raw("<tr><td align=\"center\" style=\"padding:0 16px 24px;font-size:16px;line-height:22px\">")
            .raw(TYPE_CODE)
            .raw("<br><strong style=\"font-size:24px;letter-spacing:2px\">")
            .text(code)
            .raw("</strong></td></tr>");
    }
    html.raw("<tr><td align=\"center\" style=\"padding:0 16px 24px;font-size:16px;line-height:22px\">")
        .raw("If you did not request this email you can safely ignore it.</td></tr></table></body></html>");
    (subject, text, html.finish())
}
