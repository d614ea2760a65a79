//! Frontegg: <https://developers.frontegg.com/ciam/guides/authentication/sso/hosted>. Its issuer is
//! `https://app-name.frontegg.com`, or a domain of the application's own, with the discovery document below
//! `/oauth`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "frontegg",
    name: "Frontegg",
    quirks: Quirks { discovery: "/oauth", ..Quirks::NONE },
    profile: ProfileMap { image: &["/profilePictureUrl", "/picture"], ..ProfileMap::OIDC },
    button: ButtonStyle::of("#1b1b32"),
    ..Preset::OIDC
};
