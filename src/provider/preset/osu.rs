//! osu!: <https://osu.ppy.sh/docs/index.html#authentication>. It gives no addresses away.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "osu",
    name: "osu!",
    authorization: "https://osu.ppy.sh/oauth/authorize",
    token: "https://osu.ppy.sh/oauth/token",
    userinfo: "https://osu.ppy.sh/api/v2/me",
    scope: "identify",
    profile: ProfileMap { name: &["/username"], email: &[], image: &["/avatar_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#ff66aa"),
    ..Preset::OAUTH2
};
