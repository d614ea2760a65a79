//! Microsoft Entra ID: <https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc>.
//!
//! The issuer for all tenants is a template: each ID token names its own tenant. Nobody has made sure of the address
//! in the profile unless the directory says so in a claim of its own (`xms_edov`).

use serde_json::Value;

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "microsoft-entra-id",
    name: "Microsoft Entra ID",
    issuer: Issuer::Default("https://login.microsoftonline.com/common/v2.0"),
    scope: "openid profile email User.Read",
    quirks: Quirks { tenant_issuer: true, adapt: Some(tell_proof), ..Quirks::NONE },
    profile: ProfileMap {
        email: &["/email", "/preferred_username"],
        image: &[],
        ..ProfileMap::OIDC
    },
    button: ButtonStyle::of("#0072c6"),
    ..Preset::OIDC
};

/// The claim is a boolean, a number or a text, and about `email` alone: the user name may look like an address, too.
fn tell_proof(profile: &mut Value) {
    let is_owned = matches!(&profile["xms_edov"], Value::Bool(true))
        || profile["xms_edov"] == 1
        || matches!(profile["xms_edov"].as_str(), Some("1" | "true"));
    let has_address = profile["email"].is_string();
    if let Some(members) = profile.as_object_mut() {
        members.insert("email_verified".to_owned(), (is_owned && has_address).into());
    }
}
