//! Todoist: <https://developer.todoist.com/api/v1/#tag/Authorization>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "todoist",
    name: "Todoist",
    authorization: "https://app.todoist.com/oauth/authorize",
    token: "https://api.todoist.com/oauth/access_token",
    userinfo: "https://api.todoist.com/api/v1/user",
    scope: "data:read",
    quirks: Quirks { scope_separator: ',', ..Quirks::NONE },
    profile: ProfileMap { name: &["/full_name"], image: &["/avatar_big"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#e44332"),
    ..Preset::OAUTH2
};
