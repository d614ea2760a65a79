//! Patreon: <https://docs.patreon.com/#oauth>. Its API gives only what is asked for by name.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "patreon",
    name: "Patreon",
    authorization: "https://www.patreon.com/oauth2/authorize",
    token: "https://www.patreon.com/api/oauth2/token",
    userinfo: "https://www.patreon.com/api/oauth2/v2/identity?fields%5Buser%5D=full_name,email,is_email_verified,image_url",
    scope: "identity identity[email]",
    quirks: Quirks { any_content_type: true, ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/data/id"],
        name: &["/data/attributes/full_name"],
        email: &["/data/attributes/email"],
        email_verified: Proof::Member("/data/attributes/is_email_verified"),
        image: &["/data/attributes/image_url"],
    },
    button: ButtonStyle::of("#e85b46"),
    ..Preset::OAUTH2
};
