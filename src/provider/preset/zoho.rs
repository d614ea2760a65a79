//! Zoho: <https://www.zoho.com/accounts/protocol/oauth/web-server-applications.html>. Other data centres are named by
//! their issuer, such as `https://accounts.zoho.eu`.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "zoho",
    name: "Zoho",
    issuer: Issuer::Default("https://accounts.zoho.com"),
    authorization: "{issuer}/oauth/v2/auth",
    token: "{issuer}/oauth/v2/token",
    userinfo: "{issuer}/oauth/user/info",
    scope: "AaaServer.profile.Read",
    quirks: Quirks { scope_separator: ',', any_content_type: true, ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/ZUID"],
        name: &["{/First_Name} {/Last_Name}", "/Display_Name"],
        email: &["/Email"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#e42527"),
    ..Preset::OAUTH2
};
