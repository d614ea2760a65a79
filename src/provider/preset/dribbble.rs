//! Dribbble: <https://developer.dribbble.com/v2/oauth/>. It gives no addresses away.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "dribbble",
    name: "Dribbble",
    authorization: "https://dribbble.com/oauth/authorize",
    token: "https://dribbble.com/oauth/token",
    userinfo: "https://api.dribbble.com/v2/user",
    scope: "public",
    profile: ProfileMap { name: &["/name", "/login"], image: &["/avatar_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#ea4c89"),
    ..Preset::OAUTH2
};
