//! Twitch: <https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/>. Its ID tokens have the claims that are
//! asked for by name. A refresh token that it does not take is a bad request like any other, apart from its message:
//! <https://dev.twitch.tv/docs/authentication/refresh-tokens/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "twitch",
    name: "Twitch",
    issuer: Issuer::Fixed("https://id.twitch.tv/oauth2"),
    scope: "openid user:read:email",
    params: &[(
        "claims",
        r#"{"id_token":{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}"#,
    )],
    secret_in_body: true,
    quirks: Quirks { refresh_refusals: &[("/message", "Invalid refresh token")], ..Quirks::NONE },
    profile: ProfileMap { name: &["/preferred_username"], ..ProfileMap::OIDC },
    button: ButtonStyle::of("#9146ff"),
    ..Preset::OIDC
};
