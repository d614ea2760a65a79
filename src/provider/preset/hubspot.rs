//! HubSpot: <https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens>. Who signs in
//! stands in what it says of the access token, when it is asked as the client.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "hubspot",
    name: "HubSpot",
    authorization: "https://app.hubspot.com/oauth/authorize",
    token: "https://api.hubapi.com/oauth/2026-03/token",
    userinfo: "https://api.hubapi.com/oauth/2026-03/token/introspect",
    scope: "oauth",
    quirks: Quirks { introspects: true, ..Quirks::NONE },
    profile: ProfileMap { id: &["/user_id"], name: &["/user"], email: &["/user"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#ff7a59"),
    ..Preset::OAUTH2
};
