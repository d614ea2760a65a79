//! Notion: <https://developers.notion.com/docs/authorization>. Who has let the application in stands beside the tokens.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "notion",
    name: "Notion",
    authorization: "https://api.notion.com/v1/oauth/authorize",
    token: "https://api.notion.com/v1/oauth/token",
    params: &[("owner", "user")],
    secret_in_body: false,
    quirks: Quirks { profile_in_tokens: Some("/owner/user"), ..Quirks::NONE },
    profile: ProfileMap { email: &["/person/email"], image: &["/avatar_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#191919"),
    ..Preset::OAUTH2
};
