//! Google: <https://developers.google.com/identity/openid-connect/openid-connect>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "google",
    name: "Google",
    issuer: Issuer::Fixed("https://accounts.google.com"),
    button: ButtonStyle::of("#1a73e8"),
    ..Preset::OIDC
};
