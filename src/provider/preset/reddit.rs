//! Reddit: <https://github.com/reddit-archive/reddit/wiki/OAuth2>. It gives no addresses away, and
//! does not document PKCE. Without `raw_json` the
//! picture's address is written for HTML.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "reddit",
    name: "Reddit",
    authorization: "https://www.reddit.com/api/v1/authorize",
    token: "https://www.reddit.com/api/v1/access_token",
    userinfo: "https://oauth.reddit.com/api/v1/me?raw_json=1",
    scope: "identity",
    secret_in_body: false,
    pkce: false,
    profile: ProfileMap { email: &[], image: &["/icon_img"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#ff4500"),
    ..Preset::OAUTH2
};
