//! Okta: <https://developer.okta.com/docs/guides/implement-grant-type/authcode/main/>. Its issuer is the domain of the
//! organization, or that of one of its authorization servers, such as `https://domain/oauth2/default`.

use super::*;

pub(super) const PRESET: Preset =
    Preset { id: "okta", name: "Okta", button: ButtonStyle::of("#191919"), ..Preset::OIDC };
