//! ZITADEL: <https://zitadel.com/docs/guides/integrate/login/oidc>. Its issuer is the domain of the instance.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "zitadel", name: "ZITADEL", button: ButtonStyle::of("#001342"), ..Preset::OIDC };
