//! Instagram: <https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login>. For
//! professional accounts only since the API for others was switched off; there is no address, and no PKCE.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "instagram",
    name: "Instagram",
    authorization: "https://www.instagram.com/oauth/authorize",
    token: "https://api.instagram.com/oauth/access_token",
    userinfo: "https://graph.instagram.com/me?fields=id,user_id,username,name,profile_picture_url",
    scope: "instagram_business_basic",
    pkce: false,
    quirks: Quirks {
        scope_separator: ',',
        any_content_type: true,
        token_in_query: Some("access_token"),
        ..Quirks::NONE
    },
    profile: ProfileMap {
        name: &["/username", "/name"],
        email: &[],
        image: &["/profile_picture_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#c13584"),
    ..Preset::OAUTH2
};
