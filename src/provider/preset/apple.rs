//! Sign in with Apple: <https://developer.apple.com/documentation/signinwithapplerestapi>.
//!
//! The user's name comes with the first sign-in only, in a form field called `user` beside the code.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "apple",
    name: "Apple",
    issuer: Issuer::Fixed("https://appleid.apple.com"),
    scope: "openid name email",
    form_post: true,
    secret_in_body: true,
    quirks: Quirks { posts_user: true, ..Quirks::NONE },
    profile: ProfileMap {
        name: &["{/user/name/firstName} {/user/name/lastName}", "/name"],
        image: &[],
        ..ProfileMap::OIDC
    },
    button: ButtonStyle::of("#000000"),
    ..Preset::OIDC
};
