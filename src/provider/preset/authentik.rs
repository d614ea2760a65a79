//! authentik: <https://docs.goauthentik.io/add-secure-apps/providers/oauth2/>. Its issuer is
//! `https://host/application/o/slug/`, with the slash.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "authentik",
    name: "Authentik",
    issuer: Issuer::Given { ending: "/" },
    button: ButtonStyle::of("#fd4b2d"),
    ..Preset::OIDC
};
