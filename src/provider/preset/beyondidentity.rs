//! Beyond Identity: <https://developer.beyondidentity.com/docs/next/add-an-application>. Its issuer names the region,
//! the tenant, the realm and the application.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "beyondidentity",
    name: "Beyond Identity",
    button: ButtonStyle::of("#5077c5"),
    ..Preset::OIDC
};
