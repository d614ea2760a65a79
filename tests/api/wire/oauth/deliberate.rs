//! In what the answers of `oauth_v3`, `oauth_v4` and `oauth_v5` are meant to differ.

use super::super::Deliberate;

pub(super) const V3: &[Deliberate] = &[
    Deliberate { cases: &["v3/checks_none"], aspects: &["sign-in parameters"], reason: "state-always" },
    Deliberate {
        cases: &["v3/pkce_state"],
        aspects: &["sign-in cookies", "requests"],
        reason: "transaction-cookie",
    },
    Deliberate {
        cases: &["v3/expired_check_cookie"],
        aspects: &["location", "cookies", "claims", "events", "requests"],
        reason: "state-ends",
    },
    Deliberate {
        cases: &["v3/missing_code", "v3/provider_error", "v3/custom_pages_provider_error"],
        aspects: &["location", "cookies", "claims", "events", "requests"],
        reason: "v3-provider-error",
    },
    Deliberate { cases: &["v3/profile_without_id"], aspects: &["location"], reason: "profile-without-id" },
    Deliberate { cases: &["v3/signin_string"], aspects: &["location"], reason: "absolute-urls" },
    Deliberate { cases: &["v3/signin_throws"], aspects: &["location"], reason: "messages" },
    Deliberate {
        cases: &["v3/logged_in_links_account", "v3/logged_in_same_account"],
        aspects: &["cookies"],
        reason: "new-id",
    },
    Deliberate {
        cases: &["v3/adapter_known_account", "v3/logged_in_jwt_links_account"],
        aspects: &["claims that are null"],
        reason: "absent-members",
    },
    Deliberate {
        cases: &["v3/link_account_fails"],
        aspects: &["location", "events"],
        reason: "account-with-user",
    },
    Deliberate {
        cases: &["v3/adapter_known_account", "v3/adapter_known_account_db", "v3/logged_in_same_account"],
        aspects: &["rows of accounts"],
        reason: "kept-tokens",
    },
    Deliberate {
        cases: &["v3/logged_in_links_account", "v3/logged_in_same_account"],
        aspects: &["rows of sessions"],
        reason: "new-id",
    },
    Deliberate {
        cases: &["v3/link_account_fails"],
        aspects: &["rows of users"],
        reason: "account-with-user",
    },
    Deliberate {
        cases: &["v3/provider_error", "v3/missing_code", "v3/custom_pages_provider_error"],
        aspects: &["callbacks"],
        reason: "v3-provider-error",
    },
    Deliberate { cases: &["v3/expired_check_cookie"], aspects: &["callbacks"], reason: "state-ends" },
    Deliberate { cases: &["v3/profile_without_id"], aspects: &["callbacks"], reason: "profile-without-id" },
    Deliberate {
        cases: &["v3/*"],
        aspects: &[
            "signIn account members",
            "jwt account members",
            "signIn event account members",
            "linkAccount event account members",
        ],
        reason: "account-members",
    },
    Deliberate { cases: &["v3/*"], aspects: &["signIn event profile"], reason: "event-profile" },
];

pub(super) const V4: &[Deliberate] = &[
    Deliberate {
        cases: &["v4/checks_none"],
        aspects: &["sign-in parameters", "sign-in cookies", "cookies"],
        reason: "state-always",
    },
    Deliberate {
        cases: &["v4/oidc_nonce", "v4/oidc_bad_nonce"],
        aspects: &["sign-in cookies"],
        reason: "nonce-cookie",
    },
    Deliberate {
        cases: &["v4/adapter_email_taken_linking_allowed"],
        aspects: &["events"],
        reason: "create-user-event",
    },
    Deliberate { cases: &["v4/signin_string"], aspects: &["location"], reason: "absolute-urls" },
    Deliberate { cases: &["v4/signin_throws"], aspects: &["location"], reason: "messages" },
    Deliberate {
        cases: &["v4/logged_in_links_account", "v4/logged_in_same_account"],
        aspects: &["cookies"],
        reason: "new-id",
    },
    Deliberate {
        cases: &[
            "v4/adapter_known_account",
            "v4/adapter_email_taken_linking_allowed",
            "v4/logged_in_jwt_links_account",
        ],
        aspects: &["claims that are null"],
        reason: "absent-members",
    },
    Deliberate {
        cases: &["v4/link_account_fails"],
        aspects: &["location", "events"],
        reason: "account-with-user",
    },
    Deliberate {
        cases: &["v4/adapter_known_account", "v4/adapter_known_account_db", "v4/logged_in_same_account"],
        aspects: &["rows of accounts"],
        reason: "kept-tokens",
    },
    Deliberate {
        cases: &["v4/logged_in_links_account", "v4/logged_in_same_account"],
        aspects: &["rows of sessions"],
        reason: "new-id",
    },
    Deliberate {
        cases: &["v4/link_account_fails"],
        aspects: &["rows of users"],
        reason: "account-with-user",
    },
    Deliberate { cases: &["v4/*"], aspects: &["members of accounts"], reason: "account-members" },
    Deliberate {
        cases: &["v4/*"],
        aspects: &["signIn event profile", "linkAccount event profile"],
        reason: "event-profile",
    },
];

pub(super) const V5: &[Deliberate] = &[
    Deliberate {
        cases: &[
            "v5/plain_*",
            "v5/adapter_*",
            "v5/logged_in_*",
            "v5/new_user_page",
            "v5/checks_none",
            "v5/signin_*",
            "v5/provider_error",
            "v5/missing_code",
            "v5/token_endpoint_error",
            "v5/userinfo_error",
            "v5/profile_*",
            "v5/custom_pages_*",
            "v5/oidc",
            "v5/create_user_fails",
            "v5/link_account_fails",
        ],
        aspects: &["sign-in parameters", "sign-in cookies"],
        reason: "state-always",
    },
    Deliberate {
        cases: &[
            "v5/plain_*",
            "v5/adapter_known_*",
            "v5/adapter_email_taken_linking_allowed",
            "v5/logged_in_jwt_links_account",
            "v5/new_user_page",
            "v5/checks_none",
            "v5/signin_string",
            "v5/signin_foreign_string",
            "v5/profile_*",
            "v5/oidc",
        ],
        aspects: &["cookies"],
        reason: "state-always",
    },
    Deliberate {
        cases: &[
            "v5/adapter_email_taken",
            "v5/adapter_email_taken_db",
            "v5/custom_pages_denied",
            "v5/custom_pages_email_taken",
            "v5/logged_in_account_of_other",
            "v5/signin_false",
            "v5/signin_throws",
            "v5/create_user_fails",
            "v5/link_account_fails",
        ],
        aspects: &["cookies"],
        reason: "checks-removed",
    },
    Deliberate {
        cases: &["v5/oidc_nonce", "v5/oidc_bad_nonce"],
        aspects: &["sign-in cookies"],
        reason: "nonce-cookie",
    },
    Deliberate {
        cases: &["v5/userinfo_error"],
        aspects: &["location", "cookies", "claims", "events"],
        reason: "userinfo-status",
    },
    Deliberate {
        cases: &["v5/profile_without_id"],
        aspects: &["location", "claims", "events"],
        reason: "profile-without-id",
    },
    Deliberate { cases: &["v5/profile_throws"], aspects: &["location"], reason: "v5-profile-throws" },
    Deliberate {
        cases: &["v5/adapter_email_taken_linking_allowed"],
        aspects: &["events"],
        reason: "create-user-event",
    },
    Deliberate {
        cases: &["v5/logged_in_links_account", "v5/logged_in_same_account"],
        aspects: &["cookies"],
        reason: "new-id",
    },
    Deliberate {
        cases: &[
            "v5/adapter_known_account",
            "v5/adapter_email_taken_linking_allowed",
            "v5/logged_in_jwt_links_account",
        ],
        aspects: &["claims that are null"],
        reason: "absent-members",
    },
    Deliberate { cases: &["v5/link_account_fails"], aspects: &["events"], reason: "account-with-user" },
    Deliberate {
        cases: &["v5/adapter_known_account", "v5/adapter_known_account_db", "v5/logged_in_same_account"],
        aspects: &["rows of accounts"],
        reason: "kept-tokens",
    },
    Deliberate {
        cases: &["v5/logged_in_links_account", "v5/logged_in_same_account"],
        aspects: &["rows of sessions"],
        reason: "new-id",
    },
    Deliberate {
        cases: &["v5/link_account_fails"],
        aspects: &["rows of users"],
        reason: "account-with-user",
    },
    Deliberate { cases: &["v5/userinfo_error"], aspects: &["callbacks"], reason: "userinfo-status" },
    Deliberate { cases: &["v5/profile_without_id"], aspects: &["callbacks"], reason: "profile-without-id" },
    Deliberate {
        cases: &["v5/*"],
        aspects: &["linkAccount event account members"],
        reason: "account-members",
    },
    Deliberate { cases: &["v5/*"], aspects: &["linkAccount event profile"], reason: "event-profile" },
];
