//! Mattermost: <https://developers.mattermost.com/integrate/apps/authentication/oauth2/>. Its issuer is wherever it
//! runs.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "mattermost",
    name: "Mattermost",
    issuer: Issuer::Given { ending: "" },
    authorization: "{issuer}/oauth/authorize",
    token: "{issuer}/oauth/access_token",
    userinfo: "{issuer}/api/v4/users/me",
    profile: ProfileMap {
        name: &["{/first_name} {/last_name}", "/nickname", "/username"],
        email_verified: Proof::Member("/email_verified"),
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#1c58d9"),
    ..Preset::OAUTH2
};
