//! LinkedIn: <https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2>. It
//! does not give `nonce` back, and refuses confidential clients that send a verifier.

use super::*;

pub(super) const PRESET: Preset = Preset {
    id: "linkedin",
    name: "LinkedIn",
    issuer: Issuer::Fixed("https://www.linkedin.com/oauth"),
    secret_in_body: true,
    pkce: false,
    nonce: false,
    button: ButtonStyle::of("#0a66c2"),
    ..Preset::OIDC
};
