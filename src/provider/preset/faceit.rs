//! FACEIT: <https://docs.faceit.com/getting-started/authentication/oauth2>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "faceit",
    name: "FACEIT",
    authorization: "https://accounts.faceit.com/accounts",
    token: "https://api.faceit.com/auth/v1/oauth/token",
    userinfo: "https://api.faceit.com/auth/v1/resources/userinfo",
    params: &[("redirect_popup", "true")],
    secret_in_body: false,
    profile: ProfileMap { id: &["/guid"], name: &["/nickname"], image: &["/picture"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#ff5500"),
    ..Preset::OAUTH2
};
