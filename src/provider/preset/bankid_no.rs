//! BankID of Norway: <https://developer.bankid.no/bankid-with-biometrics/>. Its issuer is that of production, unless
//! the application has that of the test environment.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "bankid-no",
    name: "BankID Norge",
    issuer: Issuer::Default("https://auth.bankid.no/auth/realms/prod"),
    scope: "openid profile",
    secret_in_body: true,
    reads_userinfo: true,
    button: ButtonStyle::of("#39134c"),
    ..Preset::OIDC
};
