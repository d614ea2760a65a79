//! Nextcloud: <https://docs.nextcloud.com/server/latest/admin_manual/configuration_server/oauth2.html>. Its issuer is
//! wherever it runs. Its API refuses requests without a header that only scripts and programs can send. Users are known by
//! their name there, as in Auth.js.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "nextcloud",
    name: "Nextcloud",
    issuer: Issuer::Given { ending: "" },
    authorization: "{issuer}/apps/oauth2/authorize",
    token: "{issuer}/apps/oauth2/api/v1/token",
    userinfo: "{issuer}/ocs/v2.php/cloud/user?format=json",
    quirks: Quirks { userinfo_headers: &[("ocs-apirequest", "true")], ..Quirks::NONE },
    profile: ProfileMap {
        id: &["/ocs/data/id"],
        name: &["/ocs/data/displayname", "/ocs/data/display-name"],
        email: &["/ocs/data/email"],
        ..ProfileMap::PLAIN
    },
    button: ButtonStyle::of("#0082c9"),
    ..Preset::OAUTH2
};
