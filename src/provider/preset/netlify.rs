//! Netlify: <https://docs.netlify.com/api/get-started/#oauth2>. It knows no scopes.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "netlify",
    name: "Netlify",
    authorization: "https://app.netlify.com/authorize",
    token: "https://api.netlify.com/oauth/token",
    userinfo: "https://api.netlify.com/api/v1/user",
    profile: ProfileMap { name: &["/full_name"], image: &["/avatar_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#05bdba"),
    ..Preset::OAUTH2
};
