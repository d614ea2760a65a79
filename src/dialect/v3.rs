//! next-auth 3.29 (`docs/protocol.md`, marked \[v3\]).

use super::{ClientRules, Rules, TokenFormat, v4};

pub(super) const RULES: Rules = Rules {
    name: "v3",
    chunk_size: None,
    removal_expires: true,
    token: TokenFormat::SignedHs512,
    leeway: 0,
    token_id: false,
    bounds_issue_time: true,
    null_members: true,
    serves_update: false,
    check_cookies: false,
    keeps_expires_in: true,
    names_exchange: false,
    domain_needs_dot: false,
    link_callback_url: false,
    missing_token: "Verification",
    cookies_everywhere: true,
    error_to_sign_in: &[
        "Signin",
        "OAuthSignin",
        "OAuthCallback",
        "OAuthCreateAccount",
        "EmailCreateAccount",
        "Callback",
        "OAuthAccountNotLinked",
        "EmailSignin",
        "CredentialsSignin",
    ],
    error_page_first: true,
    email_sign_in_message: "Check your email inbox.",
    explains_session_required: false,
    client: ClientRules { types_gets: false, ..v4::RULES.client },
    ..v4::RULES
};
