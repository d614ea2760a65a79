//! BoxyHQ SAML Jackson, which is called Ory Polis now: <https://www.ory.com/docs/polis>. Its issuer is wherever it
//! runs.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "boxyhq-saml",
    name: "BoxyHQ SAML",
    issuer: Issuer::Given { ending: "" },
    authorization: "{issuer}/api/oauth/authorize",
    token: "{issuer}/api/oauth/token",
    userinfo: "{issuer}/api/oauth/userinfo",
    profile: ProfileMap { name: &["{/firstName} {/lastName}", "/firstName"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#25c2a0"),
    ..Preset::OAUTH2
};
