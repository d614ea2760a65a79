//! GitHub: <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>.
//!
//! The address in the profile is what the user shows to everybody, often none. The others, and whether they were
//! proved, have an endpoint of their own.

use serde_json::Value;

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "github",
    name: "GitHub",
    authorization: "https://github.com/login/oauth/authorize",
    token: "https://github.com/login/oauth/access_token",
    userinfo: "https://api.github.com/user",
    scope: "read:user user:email",
    quirks: Quirks {
        userinfo_headers: &[("user-agent", "portcullis"), ("accept", "application/vnd.github+json")],
        more: &[("emails", "https://api.github.com/user/emails")],
        adapt: Some(take_primary_email),
        ..Quirks::NONE
    },
    profile: ProfileMap {
        name: &["/name", "/login"],
        email_verified: Proof::Member("/email_verified"),
        image: &["/avatar_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#24292f"),
    ..Preset::OAUTH2
};

/// The primary address in place of the public one, and whether it was proved.
fn take_primary_email(profile: &mut Value) {
    let emails = profile.get("emails").and_then(Value::as_array);
    let primary = emails.and_then(|list| list.iter().find(|email| email["primary"] == true)).cloned();
    if let Some(primary) = primary {
        profile["email"] = primary["email"].clone();
        profile["email_verified"] = primary["verified"].clone();
    }
}
