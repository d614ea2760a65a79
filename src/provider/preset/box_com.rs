//! Box: <https://developer.box.com/guides/authentication/oauth2/>. What an application may do is set where it is
//! registered, so no scope is asked for.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "box",
    name: "Box",
    authorization: "https://account.box.com/api/oauth2/authorize",
    token: "https://api.box.com/oauth2/token",
    userinfo: "https://api.box.com/2.0/users/me",
    profile: ProfileMap { email: &["/login"], image: &["/avatar_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#0075c9"),
    ..Preset::OAUTH2
};
