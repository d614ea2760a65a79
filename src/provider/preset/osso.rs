//! Osso: <https://github.com/enterprise-oss/osso>, which stands in front of SAML. Its issuer is wherever it runs.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "osso",
    name: "Osso",
    issuer: Issuer::Given { ending: "" },
    authorization: "{issuer}/oauth/authorize",
    token: "{issuer}/oauth/token",
    userinfo: "{issuer}/oauth/me",
    profile: ProfileMap { name: &["/name", "/email"], ..ProfileMap::PLAIN },
    ..Preset::OAUTH2
};
