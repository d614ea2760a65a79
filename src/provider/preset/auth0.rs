//! Auth0: <https://auth0.com/docs/get-started/applications>. An issuer of it ends with a slash.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "auth0",
    name: "Auth0",
    issuer: Issuer::Given { ending: "/" },
    button: ButtonStyle::of("#eb5424"),
    ..Preset::OIDC
};
