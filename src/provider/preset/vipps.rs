//! Vipps MobilePay: <https://developer.vippsmobilepay.com/docs/APIs/login-api/>. The user stands at the userinfo
//! endpoint. Its issuer is that of production, unless the application has that of the test environment.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "vipps",
    name: "Vipps",
    issuer: Issuer::Default("https://api.vipps.no/access-management-1.0/access/"),
    scope: "openid name email",
    reads_userinfo: true,
    button: ButtonStyle::of("#ff5b24"),
    ..Preset::OIDC
};
