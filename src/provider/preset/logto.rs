//! Logto: <https://docs.logto.io/integrate-logto/traditional-web-application>. Its issuer ends with `/oidc`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "logto",
    name: "Logto",
    profile: ProfileMap { name: &["/name", "/username"], ..ProfileMap::OIDC },
    button: ButtonStyle::of("#5d34f2"),
    ..Preset::OIDC
};
