//! Frontegg: <https://developers.frontegg.com/ciam/guides/authentication/sso/hosted>. Its issuer is
//! `https://app-name.frontegg.com`, or a domain of the application's own.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "frontegg",
    name: "Frontegg",
    profile: ProfileMap { image: &["/profilePictureUrl", "/picture"], ..ProfileMap::OIDC },
    button: ButtonStyle::of("#1b1b32"),
    ..Preset::OIDC
};
