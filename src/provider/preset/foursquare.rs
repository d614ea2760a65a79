//! Foursquare: <https://docs.foursquare.com/developer/reference/authentication>. Its API takes the token in the query,
//! and the version as a date.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "foursquare",
    name: "Foursquare",
    authorization: "https://foursquare.com/oauth2/authenticate",
    token: "https://foursquare.com/oauth2/access_token",
    userinfo: "https://api.foursquare.com/v2/users/self?v=20230131",
    quirks: Quirks { token_in_query: Some("oauth_token"), ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/response/user/id"],
        name: &["{/response/user/firstName} {/response/user/lastName}", "/response/user/firstName"],
        email: &["/response/user/contact/email"],
        image: &["{/response/user/photo/prefix}original{/response/user/photo/suffix}"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#3333ff"),
    ..Preset::OAUTH2
};
