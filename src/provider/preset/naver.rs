//! Naver: <https://developers.naver.com/docs/login/api/api.md>. What it gives is what the application has been set to
//! ask for, so no scope is sent.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "naver",
    name: "Naver",
    authorization: "https://nid.naver.com/oauth2.0/authorize",
    token: "https://nid.naver.com/oauth2.0/token",
    userinfo: "https://openapi.naver.com/v1/nid/me",
    profile: ProfileMap {
        id: &["/response/id"],
        name: &["/response/nickname", "/response/name"],
        email: &["/response/email"],
        image: &["/response/profile_image"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#03c75a"),
    ..Preset::OAUTH2
};
