//! GitLab: <https://docs.gitlab.com/integration/oauth_provider/>. One of the application's own is named by its issuer.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "gitlab",
    name: "GitLab",
    issuer: Issuer::Default("https://gitlab.com"),
    authorization: "{issuer}/oauth/authorize",
    token: "{issuer}/oauth/token",
    userinfo: "{issuer}/api/v4/user",
    scope: "read_user",
    profile: ProfileMap { name: &["/name", "/username"], image: &["/avatar_url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#fc6d26"),
    ..Preset::OAUTH2
};
