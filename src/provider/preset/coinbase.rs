//! Coinbase: <https://docs.cdp.coinbase.com/coinbase-app/oauth2-integration/overview>.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "coinbase",
    name: "Coinbase",
    authorization: "https://login.coinbase.com/oauth2/auth",
    token: "https://login.coinbase.com/oauth2/token",
    userinfo: "https://api.coinbase.com/v2/user",
    scope: "wallet:user:read wallet:user:email",
    profile: ProfileMap {
        id: &["/data/id"],
        name: &["/data/name"],
        email: &["/data/email"],
        image: &["/data/avatar_url"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0052ff"),
    ..Preset::OAUTH2
};
