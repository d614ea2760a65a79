//! LINE: <https://developers.line.biz/en/docs/line-login/integrate-line-login/>. ID tokens of web applications are
//! signed with the channel secret. Addresses are given to channels that were allowed to ask for them, and nothing is
//! said of whether they were proved.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "line",
    name: "LINE",
    issuer: Issuer::Fixed("https://access.line.me"),
    scope: "openid profile email",
    secret_in_body: true,
    id_token_by_secret: true,
    profile: ProfileMap { email_verified: Proof::Never, ..ProfileMap::OIDC },
    button: ButtonStyle::of("#06c755"),
    ..Preset::OIDC
};
