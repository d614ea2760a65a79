//! OneLogin: <https://developers.onelogin.com/openid-connect>. Its issuer is `https://name.onelogin.com/oidc/2`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "onelogin",
    name: "OneLogin",
    issuer: Issuer::Given { ending: "/oidc/2" },
    button: ButtonStyle::of("#1c1f2a"),
    ..Preset::OIDC
};
