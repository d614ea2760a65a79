//! Passage by 1Password: <https://docs.passage.id/>. Its issuer names the application.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "passage",
    name: "Passage",
    scope: "openid email",
    button: ButtonStyle::of("#0f0f10"),
    ..Preset::OIDC
};
