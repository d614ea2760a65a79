//! Passage by 1Password: <https://docs.passage.id/>. Its issuer names the application. It was announced to close in
//! January 2026; the id stays for the accounts that have it.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "passage",
    name: "Passage",
    scope: "openid email",
    button: ButtonStyle::of("#0f0f10"),
    ..Preset::OIDC
};
