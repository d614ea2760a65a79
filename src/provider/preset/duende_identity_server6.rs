//! Duende IdentityServer: <https://docs.duendesoftware.com/identityserver/>. Its issuer is wherever it runs.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "duende-identity-server6",
    name: "DuendeIdentityServer6",
    button: ButtonStyle::of("#4b1f6f"),
    ..Preset::OIDC
};
