//! Battle.net: <https://develop.battle.net/documentation/guides/using-oauth/authorization-code-flow>. It knows no
//! address, and its users by their tag.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "battlenet",
    name: "Battle.net",
    issuer: Issuer::Default("https://oauth.battle.net"),
    scope: "openid",
    profile: ProfileMap {
        name: &["/battle_tag", "/battletag"],
        email: &[],
        email_verified: Proof::Never,
        image: &[],
        ..ProfileMap::OIDC
    },
    button: ButtonStyle::of("#148eff"),
    ..Preset::OIDC
};
