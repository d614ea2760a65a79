//! Zoom: <https://developers.zoom.us/docs/integrations/oauth/>. It writes whether an address was proved as 1 or 0. What
//! may be read is set where the application is registered.

use serde_json::Value;

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "zoom",
    name: "Zoom",
    authorization: "https://zoom.us/oauth/authorize",
    token: "https://zoom.us/oauth/token",
    userinfo: "https://api.zoom.us/v2/users/me",
    secret_in_body: false,
    quirks: Quirks { adapt: Some(tell_proof), ..Quirks::NONE },
    profile: ProfileMap {
        name: &["{/first_name} {/last_name}", "/display_name"],
        email_verified: Proof::Member("/email_verified"),
        image: &["/pic_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0b5cff"),
    ..Preset::OAUTH2
};

fn tell_proof(profile: &mut Value) {
    let is_proved = profile["verified"] == 1;
    if let Some(members) = profile.as_object_mut() {
        members.insert("email_verified".to_owned(), is_proved.into());
    }
}
