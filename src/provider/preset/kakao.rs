//! Kakao: <https://developers.kakao.com/docs/latest/en/kakaologin/rest-api>. What it gives is what the application has
//! been set to ask for, so no scope is sent.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "kakao",
    name: "Kakao",
    authorization: "https://kauth.kakao.com/oauth/authorize",
    token: "https://kauth.kakao.com/oauth/token",
    userinfo: "https://kapi.kakao.com/v2/user/me",
    profile: ProfileMap {
        name: &["/kakao_account/profile/nickname", "/properties/nickname"],
        email: &["/kakao_account/email"],
        email_verified: Proof::Member("/kakao_account/is_email_verified"),
        image: &["/kakao_account/profile/profile_image_url", "/properties/profile_image"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#fee500"),
    ..Preset::OAUTH2
};
