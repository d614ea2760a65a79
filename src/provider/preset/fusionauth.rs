//! FusionAuth: <https://fusionauth.io/docs/lifecycle/authenticate-users/oauth/endpoints>. Its issuer is what the tenant
//! is set to; with several tenants add the authorization parameter `tenantId`.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "fusionauth", name: "FusionAuth", button: ButtonStyle::of("#f58320"), ..Preset::OIDC };
