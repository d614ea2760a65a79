//! GitHub: <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>.
//!
//! The address in the profile is what the user shows to everybody, often none. The others, and whether they were
//! proved, have an endpoint of their own. The tokens of a GitHub App end, and what is said of a refresh token that has ended
//! is a word of its own: <https://github.com/orgs/community/discussions/24745>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "github",
    name: "GitHub",
    authorization: "https://github.com/login/oauth/authorize",
    token: "https://github.com/login/oauth/access_token",
    userinfo: "https://api.github.com/user",
    scope: "read:user user:email",
    quirks: Quirks {
        userinfo_headers: &[("accept", "application/vnd.github+json")],
        more: &[("emails", "https://api.github.com/user/emails")],
        adapt: Some(|profile| take_email(profile, "/emails", ["primary", "email", "verified"])),
        refresh_refusals: &[("/error", "bad_refresh_token")],
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
