//! Descope: <https://docs.descope.com/identity-federation/applications/oidc-apps>. Its issuer is
//! `https://api.descope.com/project`.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "descope", name: "Descope", button: ButtonStyle::of("#1c1c23"), ..Preset::OIDC };
