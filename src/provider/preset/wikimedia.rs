//! Wikimedia: <https://www.mediawiki.org/wiki/OAuth/For_Developers>. What may be read is set where the application is
//! registered.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "wikimedia",
    name: "Wikimedia",
    authorization: "https://meta.wikimedia.org/w/rest.php/oauth2/authorize",
    token: "https://meta.wikimedia.org/w/rest.php/oauth2/access_token",
    userinfo: "https://meta.wikimedia.org/w/rest.php/oauth2/resource/profile",
    profile: ProfileMap {
        id: &["/sub"],
        name: &["/realname", "/username"],
        email_verified: Proof::Member("/confirmed_email"),
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#006699"),
    ..Preset::OAUTH2
};
