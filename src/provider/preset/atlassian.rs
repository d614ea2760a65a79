//! Atlassian: <https://developer.atlassian.com/cloud/oauth/getting-started/implementing-oauth-3lo/>. It does not
//! document PKCE.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "atlassian",
    name: "Atlassian",
    authorization: "https://auth.atlassian.com/authorize",
    token: "https://auth.atlassian.com/oauth/token",
    userinfo: "https://api.atlassian.com/me",
    scope: "read:me",
    params: &[("audience", "api.atlassian.com"), ("prompt", "consent")],
    pkce: false,
    profile: ProfileMap { id: &["/account_id"], image: &["/picture"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#0052cc"),
    ..Preset::OAUTH2
};
