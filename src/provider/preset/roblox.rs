//! Roblox: <https://create.roblox.com/docs/cloud/auth/oauth2-overview>. It gives no addresses away.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "roblox",
    name: "Roblox",
    issuer: Issuer::Fixed("https://apis.roblox.com/oauth/"),
    scope: "openid profile",
    secret_in_body: true,
    profile: ProfileMap { email: &[], email_verified: Proof::Never, ..ProfileMap::OIDC },
    button: ButtonStyle::of("#335fff"),
    ..Preset::OIDC
};
