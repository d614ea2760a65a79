//! Kinde: <https://docs.kinde.com/developer-tools/about/using-kinde-without-an-sdk/>. Its issuer is
//! `https://business.kinde.com`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "kinde",
    name: "Kinde",
    scope: "openid profile email offline",
    profile: ProfileMap {
        name: &["/name", "{/given_name} {/family_name}", "/given_name"],
        ..ProfileMap::OIDC
    },
    button: ButtonStyle::of("#0f0f0f"),
    ..Preset::OIDC
};
