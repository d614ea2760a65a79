//! 42 School: <https://api.intra.42.fr/apidoc/guides/web_application_flow>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "42-school",
    name: "42 School",
    authorization: "https://api.intra.42.fr/oauth/authorize",
    token: "https://api.intra.42.fr/oauth/token",
    userinfo: "https://api.intra.42.fr/v2/me",
    scope: "public",
    profile: ProfileMap {
        name: &["/usual_full_name", "/displayname", "/login"],
        image: &["/image/link"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#00babc"),
    ..Preset::OAUTH2
};
