//! Salesforce: <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_openid.htm>. Its ID tokens say
//! little of the user unless they are set to. A sandbox is named by its issuer.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "salesforce",
    name: "Salesforce",
    issuer: Issuer::Default("https://login.salesforce.com"),
    reads_userinfo: true,
    button: ButtonStyle::of("#0176d3"),
    ..Preset::OIDC
};
