//! WordPress.com: <https://developer.wordpress.com/docs/wpcc/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "wordpress",
    name: "WordPress.com",
    authorization: "https://public-api.wordpress.com/oauth2/authorize",
    token: "https://public-api.wordpress.com/oauth2/token",
    userinfo: "https://public-api.wordpress.com/rest/v1/me",
    scope: "auth",
    profile: ProfileMap {
        id: &["/ID"],
        name: &["/display_name", "/username"],
        email_verified: Proof::Member("/email_verified"),
        image: &["/avatar_URL"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0675c4"),
    ..Preset::OAUTH2
};
