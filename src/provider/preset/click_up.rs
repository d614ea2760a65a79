//! ClickUp: <https://developer.clickup.com/docs/authentication>. It knows neither scopes nor PKCE.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "click-up",
    name: "ClickUp",
    authorization: "https://app.clickup.com/api",
    token: "https://api.clickup.com/api/v2/oauth/token",
    userinfo: "https://api.clickup.com/api/v2/user",
    pkce: false,
    profile: ProfileMap {
        id: &["/user/id"],
        name: &["/user/username"],
        email: &["/user/email"],
        image: &["/user/profilePicture"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#7b68ee"),
    ..Preset::OAUTH2
};
