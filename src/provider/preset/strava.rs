//! Strava: <https://developers.strava.com/docs/authentication/>. It gives no addresses away.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "strava",
    name: "Strava",
    authorization: "https://www.strava.com/oauth/authorize",
    token: "https://www.strava.com/api/v3/oauth/token",
    userinfo: "https://www.strava.com/api/v3/athlete",
    scope: "read",
    params: &[("approval_prompt", "auto")],
    quirks: Quirks { scope_separator: ',', ..Quirks::NONE },
    profile: ProfileMap {
        name: &["{/firstname} {/lastname}", "/firstname"],
        email: &[],
        image: &["/profile"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#fc5200"),
    ..Preset::OAUTH2
};
