//! Yandex: <https://yandex.com/dev/id/doc/en/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "yandex",
    name: "Yandex",
    authorization: "https://oauth.yandex.ru/authorize",
    token: "https://oauth.yandex.ru/token",
    userinfo: "https://login.yandex.ru/info?format=json",
    scope: "login:info login:email login:avatar",
    profile: ProfileMap {
        name: &["/display_name", "/real_name", "/first_name"],
        email: &["/default_email", "/emails/0"],
        image: &["https://avatars.yandex.net/get-yapic/{/default_avatar_id}/islands-200"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#fc3f1d"),
    ..Preset::OAUTH2
};
