//! X, formerly Twitter: <https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code>. It insists on
//! PKCE. Addresses are for applications that were allowed to ask for them, so none is asked for here.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "twitter",
    name: "Twitter",
    authorization: "https://x.com/i/oauth2/authorize",
    token: "https://api.x.com/2/oauth2/token",
    userinfo: "https://api.x.com/2/users/me?user.fields=profile_image_url",
    scope: "users.read tweet.read offline.access",
    secret_in_body: false,
    profile: ProfileMap {
        id: &["/data/id"],
        name: &["/data/name", "/data/username"],
        email: &[],
        image: &["/data/profile_image_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0f1419"),
    ..Preset::OAUTH2
};
