//! Threads: <https://developers.facebook.com/docs/threads/get-started>. It gives no addresses away, and does not
//! document PKCE.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "threads",
    name: "Threads",
    authorization: "https://threads.net/oauth/authorize",
    token: "https://graph.threads.net/oauth/access_token",
    userinfo: "https://graph.threads.net/v1.0/me?fields=id,username,name,threads_profile_picture_url",
    scope: "threads_basic",
    pkce: false,
    quirks: Quirks {
        scope_separator: ',',
        any_content_type: true,
        token_in_query: Some("access_token"),
        ..Quirks::NONE
    },
    profile: ProfileMap {
        name: &["/name", "/username"],
        email: &[],
        image: &["/threads_profile_picture_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#000000"),
    ..Preset::OAUTH2
};
