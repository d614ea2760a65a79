//! The error page, and which of its texts a code gets (`docs/protocol.md` sections 13.2 and 13.3).

use http::StatusCode;

use super::style::Style;
use crate::{dialect::Rules, origin::Origin};

/// What the page says. There are no others: a code that is unknown gets [`Default`](Self::Default).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorMessage {
    Default,
    Configuration,
    AccessDenied,
    Verification,
}

impl ErrorMessage {
    pub(crate) fn of(code: &str, rules: &Rules) -> Self {
        let known = [
            ("Configuration", Self::Configuration),
            ("AccessDenied", Self::AccessDenied),
            ("Verification", Self::Verification),
        ];
        let is = |name: &str| {
            if rules.error_ignores_case { name.eq_ignore_ascii_case(code) } else { name == code }
        };
        known.into_iter().find(|(name, _)| is(name)).map_or(Self::Default, |(_, message)| message)
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Default => StatusCode::OK,
            Self::Configuration => StatusCode::INTERNAL_SERVER_ERROR,
            Self::AccessDenied | Self::Verification => StatusCode::FORBIDDEN,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Default => "<h1>Error</h1>",
            Self::Configuration => {
                "<h1>Server error</h1><div class=\"message\"><p>There is a problem with the server configuration.</p>\
                 <p>Check the server logs for more information.</p></div>"
            }
            Self::AccessDenied => {
                "<h1>Access Denied</h1><div class=\"message\"><p>You do not have permission to sign in.</p></div>"
            }
            Self::Verification => {
                "<h1>Unable to sign in</h1><div class=\"message\"><p>The sign in link is no longer valid.</p>\
                 <p>It may have been used already or it may have expired.</p></div>"
            }
        }
    }
}

const EXCLAMATION: &str = "M12 4v10M12 19.5v.01";

pub(crate) fn page(style: &Style, base: &str, origin: &Origin, message: ErrorMessage) -> String {
    style.page("Error", "error", |html| {
        html.icon(EXCLAMATION).raw(message.text());
        match message {
            ErrorMessage::Default => {
                html.raw("<p><a class=\"site\"")
                    .attribute("href", origin.as_str())
                    .raw(">")
                    .text(origin.host())
                    .raw("</a></p>");
            }
            ErrorMessage::AccessDenied | ErrorMessage::Verification => {
                html.raw("<p><a class=\"button\"")
                    .attribute("href", &format!("{base}/signin"))
                    .raw(">Sign in</a></p>");
            }
            ErrorMessage::Configuration => {}
        }
    })
}
