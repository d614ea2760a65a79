//! Concept2 Logbook: <https://log.concept2.com/developers/documentation/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "concept2",
    name: "Concept2",
    authorization: "https://log.concept2.com/oauth/authorize",
    token: "https://log.concept2.com/oauth/access_token",
    userinfo: "https://log.concept2.com/api/users/me",
    scope: "user:read",
    quirks: Quirks { scope_separator: ',', ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/data/id"],
        name: &["{/data/first_name} {/data/last_name}", "/data/username"],
        email: &["/data/email"],
        image: &["/data/profile_image"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#003a70"),
    ..Preset::OAUTH2
};
