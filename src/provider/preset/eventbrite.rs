//! Eventbrite: <https://www.eventbrite.com/platform/api#/introduction/authentication>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "eventbrite",
    name: "Eventbrite",
    authorization: "https://www.eventbrite.com/oauth/authorize",
    token: "https://www.eventbrite.com/oauth/token",
    userinfo: "https://www.eventbriteapi.com/v3/users/me/",
    quirks: Quirks {
        adapt: Some(|profile| take_email(profile, "/emails", ["primary", "email", "verified"])),
        ..Quirks::NONE
    },
    profile: ProfileMap { email_verified: Proof::Member("/email_verified"), ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#d1410c"),
    ..Preset::OAUTH2
};
