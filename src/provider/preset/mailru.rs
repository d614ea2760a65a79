//! Mail.ru: <https://api.mail.ru/docs/guides/oauth/sites/>. Its API takes the token in the query.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "mailru",
    name: "Mail.ru",
    authorization: "https://oauth.mail.ru/login",
    token: "https://oauth.mail.ru/token",
    userinfo: "https://oauth.mail.ru/userinfo",
    scope: "userinfo",
    quirks: Quirks { any_content_type: true, token_in_query: Some("access_token"), ..Quirks::NONE },
    profile: ProfileMap { name: &["/name", "/nickname"], image: &["/image"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#005ff9"),
    ..Preset::OAUTH2
};
