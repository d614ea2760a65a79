//! Ping Identity: <https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html>. Its issuer is
//! `https://auth.pingone.com/environment/as`.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "ping-id", name: "Ping Identity", button: ButtonStyle::of("#b3282d"), ..Preset::OIDC };
