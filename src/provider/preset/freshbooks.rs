//! FreshBooks: <https://www.freshbooks.com/api/authentication>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "freshbooks",
    name: "Freshbooks",
    authorization: "https://auth.freshbooks.com/oauth/authorize",
    token: "https://api.freshbooks.com/auth/oauth/token",
    userinfo: "https://api.freshbooks.com/auth/api/v1/users/me",
    profile: ProfileMap {
        id: &["/response/id"],
        name: &["{/response/first_name} {/response/last_name}", "/response/first_name"],
        email: &["/response/email"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0075dd"),
    ..Preset::OAUTH2
};
