//! VK: <https://dev.vk.com/en/api/access-token/authcode-flow-user>. Its API takes the token in the query, and gives a
//! list of one user. The address stands beside the tokens, if the user has let it go.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "vk",
    name: "VK",
    authorization: "https://oauth.vk.com/authorize",
    token: "https://oauth.vk.com/access_token",
    userinfo: "https://api.vk.com/method/users.get?fields=photo_100&v=5.199",
    scope: "email",
    quirks: Quirks {
        scope_separator: ',',
        token_in_query: Some("access_token"),
        from_tokens: &[("email", "/email")],
        ..Quirks::NONE
    },
    profile: ProfileMap {
        id: &["/response/0/id"],
        name: &["{/response/0/first_name} {/response/0/last_name}"],
        image: &["/response/0/photo_100"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0077ff"),
    ..Preset::OAUTH2
};
