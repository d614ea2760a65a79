//! next-auth 4.24 (`docs/protocol.md`, the text without a mark).

use super::{Failure, PageQuery, Rules, SignInLink, TokenFormat, Unsupported};

pub(super) const RULES: Rules = Rules {
    name: "v4",
    cookie_stem: "next-auth",
    chunk_size: Some(3933),
    removal_expires: false,
    token: TokenFormat::Gcm,
    leeway: 15,
    token_id: true,
    bounds_issue_time: false,
    hashes_secret_list: false,
    strict_paths: false,
    unsupported: Unsupported::Text,
    empty_session: "{}",
    null_members: false,
    session_from_callback: false,
    linked_is_new: true,
    domain_needs_dot: true,
    missing_token: "configuration",
    serves_update: true,
    serves_log: true,
    json_status: true,
    json_location: false,
    failure: Failure::ErrorPage,
    cookies_everywhere: false,
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
        "SessionRequired",
    ],
    error_page_first: false,
    error_ignores_case: true,
    page_query: PageQuery::Component,
    verify_request_query: false,
    sign_in_page_of_provider: true,
    try_another_account: TRY_ANOTHER_ACCOUNT,
    email_sign_in_message: "The e-mail could not be sent.",
    explains_session_required: true,
    sign_in_link: SignInLink::PathOnly,
};

pub(super) const TRY_ANOTHER_ACCOUNT: &[&str] =
    &["Signin", "OAuthSignin", "OAuthCallback", "OAuthCreateAccount", "EmailCreateAccount", "Callback"];
