//! Pipedrive: <https://pipedrive.readme.io/docs/marketplace-oauth-authorization>. It knows no scopes here: they are set
//! where the application is registered.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "pipedrive",
    name: "Pipedrive",
    authorization: "https://oauth.pipedrive.com/oauth/authorize",
    token: "https://oauth.pipedrive.com/oauth/token",
    userinfo: "https://api.pipedrive.com/v1/users/me",
    secret_in_body: false,
    profile: ProfileMap {
        id: &["/data/id"],
        name: &["/data/name"],
        email: &["/data/email"],
        image: &["/data/icon_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#017737"),
    ..Preset::OAUTH2
};
