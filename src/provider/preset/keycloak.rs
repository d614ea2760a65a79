//! Keycloak: <https://www.keycloak.org/securing-apps/oidc-layers>. Its issuer is `https://host/realms/name`.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "keycloak", name: "Keycloak", button: ButtonStyle::of("#428bca"), ..Preset::OIDC };
