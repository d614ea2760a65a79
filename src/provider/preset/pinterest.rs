//! Pinterest: <https://developers.pinterest.com/docs/getting-started/connect-app/>. It gives no addresses away, and
//! users are known by their name there, as in Auth.js.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "pinterest",
    name: "Pinterest",
    authorization: "https://www.pinterest.com/oauth",
    token: "https://api.pinterest.com/v5/oauth/token",
    userinfo: "https://api.pinterest.com/v5/user_account",
    scope: "user_accounts:read",
    secret_in_body: false,
    quirks: Quirks { scope_separator: ',', ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/username"],
        name: &["/username"],
        email: &[],
        image: &["/profile_image"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#e60023"),
    ..Preset::OAUTH2
};
