//! IdentityServer4: <https://identityserver4.readthedocs.io/en/latest/>. Its issuer is wherever it runs. Nobody looks
//! after it any more; its successor is `duende-identity-server6`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "identity-server4",
    name: "IdentityServer4",
    button: ButtonStyle::of("#2b6cb0"),
    ..Preset::OIDC
};
