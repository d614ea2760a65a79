//! Medium: <https://github.com/Medium/medium-api-docs>. It registers no new applications; those that there are go on.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "medium",
    name: "Medium",
    authorization: "https://medium.com/m/oauth/authorize",
    token: "https://api.medium.com/v1/tokens",
    userinfo: "https://api.medium.com/v1/me",
    scope: "basicProfile",
    quirks: Quirks { scope_separator: ',', ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/data/id"],
        name: &["/data/name", "/data/username"],
        email: &[],
        image: &["/data/imageUrl"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#000000"),
    ..Preset::OAUTH2
};
