//! Bitbucket: <https://developer.atlassian.com/cloud/bitbucket/oauth-2/>. Addresses have an endpoint of their own.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "bitbucket",
    name: "Bitbucket",
    authorization: "https://bitbucket.org/site/oauth2/authorize",
    token: "https://bitbucket.org/site/oauth2/access_token",
    userinfo: "https://api.bitbucket.org/2.0/user",
    scope: "account email",
    secret_in_body: false,
    quirks: Quirks {
        more: &[("emails", "https://api.bitbucket.org/2.0/user/emails")],
        adapt: Some(|profile| take_email(profile, "/emails/values", ["is_primary", "email", "is_confirmed"])),
        ..Quirks::NONE
    },
    profile: ProfileMap {
        id: &["/account_id"],
        name: &["/display_name", "/username"],
        email_verified: Proof::Member("/email_verified"),
        image: &["/links/avatar/href"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#205081"),
    ..Preset::OAUTH2
};
