//! Azure AD B2C: <https://learn.microsoft.com/en-us/azure/active-directory-b2c/openid-connect>.
//!
//! By default all user flows of a tenant write the same issuer, which leads to no discovery document. Set the issuer of
//! the flow's tokens to the one with `tfp` in it (token compatibility settings), and use that here:
//! `https://tenant.b2clogin.com/tfp/tenant-id/b2c_1_flow/v2.0/`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "azure-ad-b2c",
    name: "Azure AD B2C",
    issuer: Issuer::Given { ending: "/" },
    scope: "openid profile email offline_access",
    secret_in_body: true,
    profile: ProfileMap {
        name: &["/name", "/given_name"],
        email: &["/emails/0", "/email"],
        email_verified: Proof::Never,
        image: &[],
        ..ProfileMap::OIDC
    },
    button: ButtonStyle::of("#0072c6"),
    ..Preset::OIDC
};
