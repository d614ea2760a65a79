//! Webex: <https://developer.webex.com/docs/integrations>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "webex",
    name: "Webex",
    authorization: "https://webexapis.com/v1/authorize",
    token: "https://webexapis.com/v1/access_token",
    userinfo: "https://webexapis.com/v1/people/me",
    scope: "spark:kms spark:people_read",
    profile: ProfileMap {
        name: &["/displayName"],
        email: &["/emails/0"],
        image: &["/avatar"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#007aa3"),
    ..Preset::OAUTH2
};
