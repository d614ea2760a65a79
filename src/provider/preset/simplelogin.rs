//! SimpleLogin: <https://simplelogin.io/docs/siwsl/intro/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "simplelogin",
    name: "SimpleLogin",
    issuer: Issuer::Fixed("https://app.simplelogin.io"),
    profile: ProfileMap { image: &["/avatar_url", "/picture"], ..ProfileMap::OIDC },
    button: ButtonStyle::of("#be1e2d"),
    ..Preset::OIDC
};
