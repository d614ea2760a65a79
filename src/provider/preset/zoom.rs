//! Zoom: <https://developers.zoom.us/docs/integrations/oauth/>. It writes whether an address was proved as 1 or 0. What
//! may be read is set where the application is registered.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "zoom",
    name: "Zoom",
    authorization: "https://zoom.us/oauth/authorize",
    token: "https://zoom.us/oauth/token",
    userinfo: "https://api.zoom.us/v2/users/me",
    secret_in_body: false,
    profile: ProfileMap {
        name: &["{/first_name} {/last_name}", "/display_name"],
        email_verified: Proof::Member("/verified"),
        image: &["/pic_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0b5cff"),
    ..Preset::OAUTH2
};
