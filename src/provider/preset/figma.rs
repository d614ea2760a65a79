//! Figma: <https://developers.figma.com/docs/rest-api/authentication/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "figma",
    name: "Figma",
    authorization: "https://www.figma.com/oauth",
    token: "https://api.figma.com/v1/oauth/token",
    userinfo: "https://api.figma.com/v1/me",
    scope: "current_user:read",
    secret_in_body: false,
    profile: ProfileMap { name: &["/handle"], image: &["/img_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#1e1e1e"),
    ..Preset::OAUTH2
};
