//! Microsoft Entra ID: <https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc>.
//!
//! The issuer for all tenants is a template: each ID token names its own tenant. Nobody has made sure of the address
//! in the profile unless the directory says so in a claim of its own (`xms_edov`).

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "microsoft-entra-id",
    name: "Microsoft Entra ID",
    issuer: Issuer::Default("https://login.microsoftonline.com/common/v2.0"),
    scope: "openid profile email User.Read",
    quirks: Quirks { tenant_issuer: true, ..Quirks::NONE },
    profile: ProfileMap {
        email: &["/email", "/preferred_username"],
        email_verified: Proof::Member("/xms_edov"),
        image: &[],
        ..ProfileMap::OIDC
    },
    button: ButtonStyle::of("#0072c6"),
    ..Preset::OIDC
};
