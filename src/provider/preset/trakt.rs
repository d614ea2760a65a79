//! Trakt: <https://trakt.docs.apiary.io/#reference/authentication-oauth>. Its API wants the client's id in a header. It
//! gives no addresses away, and users are known by their name there, as in Auth.js.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "trakt",
    name: "Trakt",
    authorization: "https://trakt.tv/oauth/authorize",
    token: "https://api.trakt.tv/oauth/token",
    userinfo: "https://api.trakt.tv/users/me?extended=full",
    quirks: Quirks {
        userinfo_headers: &[("trakt-api-version", "2"), ("trakt-api-key", "{client_id}")],
        ..Quirks::NONE
    },
    profile: ProfileMap {
        id: &["/ids/slug"],
        name: &["/name", "/username"],
        email: &[],
        image: &["/images/avatar/full"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#ed1c24"),
    ..Preset::OAUTH2
};
