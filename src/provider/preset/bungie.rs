//! Bungie: <https://github.com/Bungie-net/api/wiki/OAuth-Documentation>.
//!
//! Requests for the profile need the application's API key in the header `x-api-key`, which `OAuth::userinfo_header`
//! adds.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "bungie",
    name: "Bungie",
    authorization: "https://www.bungie.net/en/OAuth/Authorize",
    token: "https://www.bungie.net/platform/app/oauth/token/",
    userinfo: "https://www.bungie.net/Platform/User/GetMembershipsForCurrentUser/",
    params: &[("reauth", "true")],
    profile: ProfileMap {
        id: &["/Response/bungieNetUser/membershipId"],
        name: &["/Response/bungieNetUser/displayName", "/Response/bungieNetUser/uniqueName"],
        email: &[],
        image: &["https://www.bungie.net{/Response/bungieNetUser/profilePicturePath}"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0d1b2a"),
    ..Preset::OAUTH2
};
