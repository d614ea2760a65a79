//! Facebook: <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>. Without a version in
//! its URLs, the one that the application is set to is used.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "facebook",
    name: "Facebook",
    authorization: "https://www.facebook.com/dialog/oauth",
    token: "https://graph.facebook.com/oauth/access_token",
    userinfo: "https://graph.facebook.com/me?fields=id,name,email,picture",
    scope: "public_profile email",
    quirks: Quirks { scope_separator: ',', any_content_type: true, ..Quirks::NONE },
    profile: ProfileMap { image: &["/picture/data/url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#1877f2"),
    ..Preset::OAUTH2
};
