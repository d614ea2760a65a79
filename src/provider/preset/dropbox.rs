//! Dropbox: <https://www.dropbox.com/developers/documentation/http/documentation#oauth2-authorize>. Its API is asked
//! with POST, without a body.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "dropbox",
    name: "Dropbox",
    authorization: "https://www.dropbox.com/oauth2/authorize",
    token: "https://api.dropboxapi.com/oauth2/token",
    userinfo: "https://api.dropboxapi.com/2/users/get_current_account",
    scope: "account_info.read",
    params: &[("token_access_type", "offline")],
    quirks: Quirks { userinfo_by_post: true, ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/account_id"],
        name: &["/name/display_name"],
        email_verified: Proof::Member("/email_verified"),
        image: &["/profile_photo_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0061fe"),
    ..Preset::OAUTH2
};
