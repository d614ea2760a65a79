//! Amazon Cognito: <https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints-oauth-grants.html>.
//! Its issuer is `https://cognito-idp.region.amazonaws.com/pool`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "cognito",
    name: "Cognito",
    profile: ProfileMap { name: &["/name", "/cognito:username"], ..ProfileMap::OIDC },
    button: ButtonStyle::of("#c17b9e"),
    ..Preset::OIDC
};
