//! Slack: <https://docs.slack.dev/authentication/sign-in-with-slack/>. It has PKCE for public
//! clients, which an application that has a secret is not; `nonce` is there. Errors:
//! <https://docs.slack.dev/reference/methods/openid.connect.token>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "slack",
    name: "Slack",
    issuer: Issuer::Fixed("https://slack.com"),
    secret_in_body: true,
    pkce: false,
    quirks: Quirks { refresh_refusals: &[("/error", "invalid_refresh_token")], ..Quirks::NONE },
    button: ButtonStyle::of("#4a154b"),
    ..Preset::OIDC
};
