//! Slack: <https://docs.slack.dev/authentication/sign-in-with-slack/>. It has PKCE for public
//! clients, which an application that has a secret is not; `nonce` is there.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "slack",
    name: "Slack",
    issuer: Issuer::Fixed("https://slack.com"),
    secret_in_body: true,
    pkce: false,
    button: ButtonStyle::of("#4a154b"),
    ..Preset::OIDC
};
