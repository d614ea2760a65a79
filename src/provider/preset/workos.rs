//! WorkOS single sign-on: <https://workos.com/docs/reference/sso>. It has to be told whose users sign in: add the
//! authorization parameter `organization`, `connection` or `provider`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "workos",
    name: "WorkOS",
    authorization: "https://api.workos.com/sso/authorize",
    token: "https://api.workos.com/sso/token",
    userinfo: "https://api.workos.com/sso/profile",
    profile: ProfileMap {
        name: &["{/first_name} {/last_name}", "/first_name"],
        image: &["/raw_attributes/picture"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#6363f1"),
    ..Preset::OAUTH2
};
