//! HubSpot: <https://developers.hubspot.com/docs/api-reference/auth-oauth-v1/guide>. Who signs in is told with what is
//! known of the access token, under a URL that ends with it.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "hubspot",
    name: "HubSpot",
    authorization: "https://app.hubspot.com/oauth/authorize",
    token: "https://api.hubapi.com/oauth/v1/token",
    userinfo: "https://api.hubapi.com/oauth/v1/access-tokens/{/access_token}",
    scope: "oauth",
    profile: ProfileMap { id: &["/user_id"], name: &["/user"], email: &["/user"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#ff7a59"),
    ..Preset::OAUTH2
};
