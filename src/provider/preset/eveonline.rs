//! EVE Online: <https://developers.eveonline.com/docs/services/sso/>. Who signs in is a character; there is no address.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "eveonline",
    name: "EVE Online",
    authorization: "https://login.eveonline.com/v2/oauth/authorize",
    token: "https://login.eveonline.com/v2/oauth/token",
    userinfo: "https://login.eveonline.com/oauth/verify",
    scope: "publicData",
    secret_in_body: false,
    profile: ProfileMap {
        id: &["/CharacterID"],
        name: &["/CharacterName"],
        email: &[],
        image: &["https://images.evetech.net/characters/{/CharacterID}/portrait?size=128"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#1f1f1f"),
    ..Preset::OAUTH2
};
