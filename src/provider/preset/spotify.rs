//! Spotify: <https://developer.spotify.com/documentation/web-api/tutorials/code-flow>. It says of its addresses that
//! nobody has proved them.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "spotify",
    name: "Spotify",
    authorization: "https://accounts.spotify.com/authorize",
    token: "https://accounts.spotify.com/api/token",
    userinfo: "https://api.spotify.com/v1/me",
    scope: "user-read-email",
    secret_in_body: false,
    profile: ProfileMap { name: &["/display_name"], image: &["/images/0/url"], ..ProfileMap::PLAIN },
    button: ButtonStyle::of("#1db954"),
    ..Preset::OAUTH2
};
