//! Slack: <https://docs.slack.dev/authentication/sign-in-with-slack/>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "slack",
    name: "Slack",
    issuer: Issuer::Fixed("https://slack.com"),
    secret_in_body: true,
    button: ButtonStyle::of("#4a154b"),
    ..Preset::OIDC
};
