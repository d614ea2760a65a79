//! United Effects Auth: <https://docs.unitedeffects.com/integrations/nextauthjs>. Its issuer is
//! `https://auth.unitedeffects.com/group`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "united-effects",
    name: "United Effects",
    button: ButtonStyle::of("#3d2b56"),
    ..Preset::OIDC
};
