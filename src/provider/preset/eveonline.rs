//! EVE Online: <https://developers.eveonline.com/docs/services/sso/>. Who signs in is a character, as in Auth.js, and goes on
//! being that one if it is transferred to another player; there is no address.
//!
//! There is no endpoint for a profile any more: the access token is one that says whose it is, in the claim `sub` as
//! `CHARACTER:EVE:95465499`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "eveonline",
    name: "EVE Online",
    authorization: "https://login.eveonline.com/v2/oauth/authorize",
    token: "https://login.eveonline.com/v2/oauth/token",
    scope: "publicData",
    secret_in_body: false,
    quirks: Quirks { profile_in_tokens: Some("/access_token"), adapt: Some(take_character), ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/character"],
        email: &[],
        image: &["https://images.evetech.net/characters/{/character}/portrait?size=128"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#1f1f1f"),
    ..Preset::OAUTH2
};

/// The number of the character, which is the user's id in Auth.js.
fn take_character(profile: &mut Value) {
    let subject = profile.get("sub").and_then(Value::as_str).unwrap_or_default();
    if let (Some(character), Value::Object(profile)) =
        (subject.strip_prefix("CHARACTER:EVE:").map(str::to_owned), profile)
    {
        profile.insert("character".to_owned(), character.into());
    }
}
