//! Asgardeo: <https://wso2.com/asgardeo/docs/guides/authentication/oidc/>. Its issuer is
//! `https://api.asgardeo.io/t/organization/oauth2/token`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "asgardeo",
    name: "Asgardeo",
    issuer: Issuer::Given { ending: "/oauth2/token" },
    button: ButtonStyle::of("#ff7300"),
    ..Preset::OIDC
};
