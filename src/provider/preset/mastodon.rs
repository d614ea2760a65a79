//! Mastodon: <https://docs.joinmastodon.org/spec/oauth/>. Its issuer is the server that the application is registered
//! at. It gives no addresses away.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "mastodon",
    name: "Mastodon",
    issuer: Issuer::Given { ending: "" },
    authorization: "{issuer}/oauth/authorize",
    token: "{issuer}/oauth/token",
    userinfo: "{issuer}/api/v1/accounts/verify_credentials",
    scope: "read",
    profile: ProfileMap {
        name: &["/display_name", "/username"],
        email: &[],
        image: &["/avatar_static", "/avatar"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#6364ff"),
    ..Preset::OAUTH2
};
