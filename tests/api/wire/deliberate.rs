//! In what the answers of `http_v3`, `http_v4` and `http_v5` are meant to differ.

use super::Deliberate;

pub(super) const V3: &[Deliberate] = &[
    Deliberate { cases: &["v3/email/two_ats/form"], aspects: &["location"], reason: "one-address" },
    Deliberate { cases: &["v3/email/two_ats/client"], aspects: &["body"], reason: "one-address" },
    Deliberate { cases: &["v3/email/redirect_string/form"], aspects: &["location"], reason: "absolute-urls" },
    Deliberate { cases: &["v3/email/redirect_string/client"], aspects: &["body"], reason: "absolute-urls" },
    Deliberate { cases: &["v3/email/signin_throws/form"], aspects: &["location"], reason: "messages" },
    Deliberate { cases: &["v3/email/signin_throws/client"], aspects: &["body"], reason: "messages" },
    Deliberate {
        cases: &["v3/session/jwt_callback_throws"],
        aspects: &["cookies"],
        reason: "callback-at-read",
    },
    Deliberate {
        cases: &[
            "v3/signin_page/callbackUrl_javascript",
            "v3/signin_page/callbackUrl_relative",
            "v3/signin_page/bad_callback_cookie",
            "v3/session/bad_callback_cookie",
            "v3/csrf/bad_callback_query",
        ],
        aspects: &["status", "location", "cookies", "body"],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v3/signin_page/*", "v3/get/signin/acme/extra"],
        aspects: &["email form"],
        reason: "email-field",
    },
    Deliberate {
        cases: &["v3/signin_page/*", "v3/get/signin/acme/extra"],
        aspects: &["page hidden fields", "email hidden fields"],
        reason: "callback-url-in-form",
    },
    Deliberate {
        cases: &[
            "v3/custom_pages/signin",
            "v3/custom_pages/signin_q",
            "v3/custom_pages/signin_provider",
            "v3/custom_pages/signin_error_xss",
            "v3/custom_pages/query_in_page",
            "v3/custom_pages/error_xss",
        ],
        aspects: &["location"],
        reason: "encoded-values",
    },
    Deliberate { cases: &["v3/session/garbage_chunks"], aspects: &["cookies"], reason: "v3-chunks" },
    Deliberate { cases: &["v3/session/max_age_1h"], aspects: &["claims"], reason: "one-lifetime" },
    Deliberate {
        cases: &[
            "v3/csrf/post",
            "v3/session/update_*",
            "v3/db/session_update_post",
            "v3/method/*",
            "v3/get/nope*",
            "v3/get/callback*",
            "v3/get/_log",
            "v3/get/webauthn-options*",
            "v3/post/*",
        ],
        aspects: &["content-type"],
        reason: "plain-text",
    },
    Deliberate {
        cases: &["v3/method/*", "v3/get/nope*", "v3/post/nope"],
        aspects: &["cookies"],
        reason: "unknown-actions",
    },
    Deliberate { cases: &["v3/get_root", "v3/get/"], aspects: &["status", "body"], reason: "no-action" },
    Deliberate {
        cases: &["v3/get/callback/credentials"],
        aspects: &["status"],
        reason: "credentials-by-get",
    },
    Deliberate {
        cases: &["v3/credentials/authorize_throws/form"],
        aspects: &["location"],
        reason: "messages",
    },
    Deliberate {
        cases: &["v3/credentials/authorize_throws/client"],
        aspects: &["status", "body"],
        reason: "messages",
    },
    Deliberate { cases: &["v3/credentials/signin_throws/form"], aspects: &["location"], reason: "messages" },
    Deliberate {
        cases: &["v3/credentials/signin_throws/client"],
        aspects: &["status", "body"],
        reason: "messages",
    },
    Deliberate { cases: &["v3/credentials/jwt_throws/*"], aspects: &["status"], reason: "jwt-at-sign-in" },
    Deliberate {
        cases: &["v3/credentials/signin_string/form"],
        aspects: &["location", "cookies", "claims", "events"],
        reason: "v3-sign-in-redirect",
    },
    Deliberate {
        cases: &["v3/credentials/signin_string/client"],
        aspects: &["body", "cookies", "claims", "events"],
        reason: "v3-sign-in-redirect",
    },
    Deliberate {
        cases: &["v3/credentials/user_without_id/form"],
        aspects: &["location", "cookies", "claims", "events"],
        reason: "subject",
    },
    Deliberate {
        cases: &["v3/credentials/user_without_id/client"],
        aspects: &["status", "body", "cookies", "claims", "events"],
        reason: "subject",
    },
    Deliberate { cases: &["v3/signout/anon/*"], aspects: &["cookies", "events"], reason: "v3-sign-out" },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &[
            "v3/signin/oauth_form",
            "v3/signin/oauth_client",
            "v3/signin/oauth_extra_params",
            "v3/signin/oauth_json_*",
            "v3/signin/oauth_pkce_state_nonce",
            "v3/signin/oauth_checks_none",
            "v3/signin/callback_foreign",
        ],
        aspects: &["parameter response_type"],
        reason: "response-type",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v3/signin/oauth_extra_params"],
        aspects: &["parameter callbackUrl"],
        reason: "bound-parameters",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v3/signin/oauth_checks_none"],
        aspects: &["parameter state"],
        reason: "state-always",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v3/signin/oauth_pkce_state_nonce"],
        aspects: &["cookies"],
        reason: "transaction-cookie",
    },
    #[cfg(feature = "oauth")]
    Deliberate { cases: &["v3/signin/callback_relative_body"], aspects: &["status"], reason: "callback-url" },
    Deliberate {
        cases: &["v3/credentials/db_strategy/form"],
        aspects: &["location"],
        reason: "credentials-in-a-store",
    },
    Deliberate {
        cases: &["v3/credentials/db_strategy/client"],
        aspects: &["status", "body"],
        reason: "credentials-in-a-store",
    },
    Deliberate {
        cases: &["v3/credentials/db_strategy/*"],
        aspects: &["cookies", "events"],
        reason: "credentials-in-a-store",
    },
    Deliberate {
        cases: &["v3/db/session_fresh", "v3/db/session_due", "v3/db/session_just_before_due"],
        aspects: &["cookies"],
        reason: "v3-row-cookie",
    },
    Deliberate {
        cases: &["v3/db/session_expired"],
        aspects: &["body", "cookies", "events"],
        reason: "v3-ends",
    },
    Deliberate {
        cases: &["v3/email_callback/expired"],
        aspects: &["location", "cookies", "claims", "events"],
        reason: "v3-ends",
    },
    Deliberate { cases: &["v3/email_callback/string"], aspects: &["location"], reason: "absolute-urls" },
    Deliberate { cases: &["v3/email_callback/throws"], aspects: &["location"], reason: "messages" },
    Deliberate {
        cases: &["v3/email_callback/jwt/known_user"],
        aspects: &["claims that are null"],
        reason: "absent-members",
    },
];

pub(super) const V4: &[Deliberate] = &[
    Deliberate { cases: &["v4/email/redirect_string/form"], aspects: &["location"], reason: "absolute-urls" },
    Deliberate { cases: &["v4/email/redirect_string/client"], aspects: &["body"], reason: "absolute-urls" },
    Deliberate { cases: &["v4/email/signin_throws/form"], aspects: &["location"], reason: "messages" },
    Deliberate { cases: &["v4/email/signin_throws/client"], aspects: &["body"], reason: "messages" },
    Deliberate {
        cases: &["v4/session/jwt_callback_throws"],
        aspects: &["cookies"],
        reason: "callback-at-read",
    },
    Deliberate {
        cases: &[
            "v4/signin_page/callbackUrl_javascript",
            "v4/signin_page/callbackUrl_relative",
            "v4/signin_page/bad_callback_cookie",
        ],
        aspects: &[
            "status",
            "cookies",
            "page title",
            "page texts",
            "page form",
            "page csrf",
            "email form",
            "email csrf",
        ],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v4/session/bad_callback_cookie", "v4/csrf/bad_callback_query"],
        aspects: &["status", "cookies", "body"],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v4/signin_page/*", "v4/get/signin/acme/extra"],
        aspects: &["page hidden fields", "email hidden fields"],
        reason: "callback-url-in-form",
    },
    Deliberate { cases: &["v4/custom_pages/error_xss"], aspects: &["location"], reason: "encoded-values" },
    Deliberate {
        cases: &["v4/get_root", "v4/get/"],
        aspects: &["status", "content-type", "body"],
        reason: "no-action",
    },
    Deliberate {
        cases: &["v4/get/callback/credentials"],
        aspects: &["status"],
        reason: "credentials-by-get",
    },
    Deliberate {
        cases: &["v4/credentials/authorize_throws/form", "v4/credentials/signin_throws/form"],
        aspects: &["location"],
        reason: "messages",
    },
    Deliberate {
        cases: &["v4/credentials/authorize_throws/client", "v4/credentials/signin_throws/client"],
        aspects: &["body"],
        reason: "messages",
    },
    Deliberate { cases: &["v4/credentials/signin_throws/client"], aspects: &["status"], reason: "messages" },
    Deliberate {
        cases: &["v4/credentials/jwt_throws/form"],
        aspects: &["status", "location", "cookies", "body"],
        reason: "jwt-at-sign-in",
    },
    Deliberate {
        cases: &["v4/credentials/jwt_throws/client"],
        aspects: &["cookies", "body"],
        reason: "jwt-at-sign-in",
    },
    Deliberate {
        cases: &["v4/credentials/signin_string/form"],
        aspects: &["location"],
        reason: "absolute-urls",
    },
    Deliberate {
        cases: &["v4/credentials/signin_string/client"],
        aspects: &["body"],
        reason: "absolute-urls",
    },
    Deliberate {
        cases: &["v4/credentials/user_without_id/form"],
        aspects: &["location", "cookies", "claims", "events"],
        reason: "subject",
    },
    Deliberate {
        cases: &["v4/credentials/user_without_id/client"],
        aspects: &["status", "body", "cookies", "claims", "events"],
        reason: "subject",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v4/signin/oauth_extra_params"],
        aspects: &["parameter callbackUrl"],
        reason: "bound-parameters",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v4/signin/oauth_checks_none"],
        aspects: &["parameter state", "cookies"],
        reason: "state-always",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v4/signin/oauth_pkce_state_nonce"],
        aspects: &["parameter nonce", "cookies"],
        reason: "nonce-of-oauth2",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v4/signin/callback_relative_body"],
        aspects: &["status", "body", "cookies"],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v4/credentials/db_strategy/*"],
        aspects: &["cookies", "claims", "events"],
        reason: "credentials-in-a-store",
    },
    Deliberate { cases: &["v4/email_callback/string"], aspects: &["location"], reason: "absolute-urls" },
    Deliberate { cases: &["v4/email_callback/throws"], aspects: &["location"], reason: "messages" },
    Deliberate {
        cases: &["v4/email_callback/jwt/known_user"],
        aspects: &["claims that are null"],
        reason: "absent-members",
    },
];

pub(super) const V5: &[Deliberate] = &[
    Deliberate {
        cases: &["v5/session/jwt_callback_throws"],
        aspects: &["cookies"],
        reason: "callback-at-read",
    },
    Deliberate {
        cases: &[
            "v5/signin_page/callbackUrl_javascript",
            "v5/signin_page/callbackUrl_relative",
            "v5/signin_page/bad_callback_cookie",
        ],
        aspects: &[
            "status",
            "cookies",
            "page title",
            "page texts",
            "page form",
            "page csrf",
            "email form",
            "email csrf",
        ],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v5/session/bad_callback_cookie", "v5/csrf/bad_callback_query"],
        aspects: &["status", "cookies", "body"],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v5/signin_page/*"],
        aspects: &["page hidden fields", "email hidden fields"],
        reason: "callback-url-in-form",
    },
    Deliberate { cases: &["v5/custom_pages/error_xss"], aspects: &["location"], reason: "encoded-values" },
    Deliberate {
        cases: &["v5/credentials/user_without_id/*"],
        aspects: &["location", "cookies", "claims", "events"],
        reason: "subject",
    },
    Deliberate { cases: &["v5/credentials/user_without_id/client"], aspects: &["body"], reason: "subject" },
    Deliberate { cases: &["v5/credentials/jwt_null/*"], aspects: &["events"], reason: "sign-in-event" },
    Deliberate {
        cases: &["v5/error_page/error=AccessDenied", "v5/error_page/error=Verification"],
        aspects: &["page links"],
        reason: "sign-in-link",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v5/signin/oauth_extra_params"],
        aspects: &["parameter callbackUrl"],
        reason: "bound-parameters",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &[
            "v5/signin/oauth_form",
            "v5/signin/oauth_client",
            "v5/signin/oauth_extra_params",
            "v5/signin/oauth_json_*",
            "v5/signin/oauth_checks_none",
            "v5/signin/callback_foreign",
        ],
        aspects: &["parameter state", "cookies"],
        reason: "state-always",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v5/signin/oauth_pkce_state_nonce"],
        aspects: &["parameter nonce", "cookies"],
        reason: "nonce-of-oauth2",
    },
    #[cfg(feature = "oauth")]
    Deliberate {
        cases: &["v5/signin/callback_relative_body"],
        aspects: &["location", "body", "cookies"],
        reason: "callback-url",
    },
    Deliberate {
        cases: &["v5/credentials/db_strategy/*"],
        aspects: &["cookies", "claims", "events"],
        reason: "credentials-in-a-store",
    },
    Deliberate { cases: &["v5/db/session_update_post"], aspects: &["body"], reason: "session-row" },
    Deliberate {
        cases: &["v5/email_callback/jwt/known_user"],
        aspects: &["claims that are null"],
        reason: "absent-members",
    },
];
