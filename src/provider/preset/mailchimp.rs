//! Mailchimp: <https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/>. It knows no scopes.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "mailchimp",
    name: "Mailchimp",
    authorization: "https://login.mailchimp.com/oauth2/authorize",
    token: "https://login.mailchimp.com/oauth2/token",
    userinfo: "https://login.mailchimp.com/oauth2/metadata",
    profile: ProfileMap {
        id: &["/login/login_id"],
        name: &["/accountname", "/login/login_name"],
        email: &["/login/email", "/login/login_email"],
        image: &["/login/avatar"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#ffe01b"),
    ..Preset::OAUTH2
};
