//! TikTok: <https://developers.tiktok.com/doc/login-kit-web>. Its client id is called a key. PKCE is for its other
//! kinds of applications, and with another challenge than S256. It gives no addresses away.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "tiktok",
    name: "TikTok",
    authorization: "https://www.tiktok.com/v2/auth/authorize/",
    token: "https://open.tiktokapis.com/v2/oauth/token/",
    userinfo: "https://open.tiktokapis.com/v2/user/info/?fields=open_id,union_id,avatar_url,display_name",
    scope: "user.info.basic",
    pkce: false,
    quirks: Quirks { client_id: "client_key", scope_separator: ',', ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/data/user/open_id"],
        name: &["/data/user/display_name"],
        email: &[],
        image: &["/data/user/avatar_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#000000"),
    ..Preset::OAUTH2
};
