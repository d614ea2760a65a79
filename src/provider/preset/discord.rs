//! Discord: <https://discord.com/developers/docs/topics/oauth2>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "discord",
    name: "Discord",
    authorization: "https://discord.com/oauth2/authorize",
    token: "https://discord.com/api/oauth2/token",
    userinfo: "https://discord.com/api/users/@me",
    scope: "identify email",
    profile: ProfileMap {
        name: &["/global_name", "/username"],
        email_verified: Proof::Member("/verified"),
        image: &["https://cdn.discordapp.com/avatars/{/id}/{/avatar}.png"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#5865f2"),
    ..Preset::OAUTH2
};
