//! The generations of Auth.js, as data.
//!
//! What differs between next-auth v3, v4 and Auth.js v5 stands in the [`Rules`] of [`v3`], [`v4`] and
//! [`v5`], and nowhere else: the rest of the crate asks a rule, never which dialect it is.

mod v3;
mod v4;
mod v5;

use std::fmt;

/// Which generation of Auth.js an application speaks on the wire.
///
/// An application writes one dialect and may read several, which is how a running site moves from one to
/// the next without signing anybody out.
///
/// ```
/// use portcullis::Dialect;
///
/// assert_eq!(Dialect::default(), Dialect::V4);
/// assert_eq!(Dialect::V5.to_string(), "v5");
/// ```
#[derive(Clone, Copy)]
pub struct Dialect(&'static Rules);

impl Dialect {
    /// next-auth 3: signed tokens, one cookie, no `update()`.
    pub const V3: Self = Self(&v3::RULES);
    /// next-auth 4, which npm calls latest; the default.
    pub const V4: Self = Self(&v4::RULES);
    /// Auth.js, that is next-auth 5 beta and `@auth/core`.
    pub const V5: Self = Self(&v5::RULES);

    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::V3, Self::V4, Self::V5];

    pub(crate) fn rules(self) -> &'static Rules {
        self.0
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::V4
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Dialect {}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialect({})", self.0.name)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// Everything in which the dialects differ. Section numbers are those of `docs/protocol.md`.
#[derive(Debug)]
#[cfg_attr(not(feature = "oauth"), allow(dead_code, reason = "sign-in at providers reads the rest"))]
pub(crate) struct Rules {
    pub(crate) name: &'static str,

    // Cookies (section 2)
    /// What the cookie names begin with, after their `__Secure-` or `__Host-`.
    pub(crate) cookie_stem: &'static str,
    /// The most characters of a value that one session cookie carries; without it they are never split.
    pub(crate) chunk_size: Option<usize>,
    /// A removal also says `Expires`.
    pub(crate) removal_expires: bool,

    // Tokens (section 4)
    pub(crate) token: TokenFormat,
    /// How far clocks may differ, in seconds.
    pub(crate) leeway: i64,
    /// Tokens carry a random `jti`.
    pub(crate) token_id: bool,
    /// A token needs an `iat`, which may neither lie in the future nor further back than the maximum age.
    pub(crate) bounds_issue_time: bool,

    /// CSRF hashes take the list of secrets as text, joined by commas; otherwise the first secret (section 3).
    pub(crate) hashes_secret_list: bool,

    // Requests (section 5)
    /// Exactly the known paths are served; otherwise further segments are ignored.
    pub(crate) strict_paths: bool,
    pub(crate) unsupported: Unsupported,

    // Answers (sections 5 and 6)
    /// The JSON text of "nobody is signed in".
    pub(crate) empty_session: &'static str,
    /// A member of the user that has no claim is `null`; otherwise it is absent.
    pub(crate) null_members: bool,
    /// The session's user is made of what the `jwt` callback returned; otherwise of what the token held.
    pub(crate) session_from_callback: bool,
    /// Whoever signs in with an account that was just linked to them is called new, like whoever was just made.
    pub(crate) linked_is_new: bool,
    /// `POST /session` updates the session.
    pub(crate) serves_update: bool,
    /// `POST /_log` takes what the browser client logs.
    pub(crate) serves_log: bool,
    /// An answer in JSON mode has the status of the outcome; otherwise 200.
    pub(crate) json_status: bool,
    /// An answer in JSON mode carries `Location` too.
    pub(crate) json_location: bool,
    pub(crate) failure: Failure,
    /// Every answer carries the CSRF and callback-url cookies; otherwise those of the actions that use them.
    pub(crate) cookies_everywhere: bool,

    // Pages (sections 6 and 13)
    /// Codes that the error page hands on to the sign-in page.
    pub(crate) error_to_sign_in: &'static [&'static str],
    /// The custom error page is asked before that.
    pub(crate) error_page_first: bool,
    /// Codes of the error page are compared without case.
    pub(crate) error_ignores_case: bool,
    pub(crate) page_query: PageQuery,
    /// Where the `sign_in` callback leads is for the `redirect` callback to judge; otherwise it is followed.
    pub(crate) judges_sign_in_redirect: bool,
    /// The custom page for "check your mail" is given the query of the request.
    pub(crate) verify_request_query: bool,
    /// `GET /signin/PROVIDER` shows the sign-in page.
    pub(crate) sign_in_page_of_provider: bool,
    /// Codes that the sign-in page explains by "try a different account".
    pub(crate) try_another_account: &'static [&'static str],
    /// How the sign-in page explains `EmailSignin`.
    pub(crate) email_sign_in_message: &'static str,
    /// The sign-in page explains `SessionRequired`.
    pub(crate) explains_session_required: bool,

    // Providers (section 7)
    /// A provider of OpenID Connect, and an account of one, is of the type `oidc`; otherwise of `oauth`.
    pub(crate) names_oidc: bool,
    /// Without a store the user's id is new at each sign-in; otherwise it is the one at the provider.
    pub(crate) random_user_id: bool,
    /// `state`, code verifier and `nonce` have a cookie each, in the format of the packages.
    pub(crate) check_cookies: bool,
    /// The `state` is a sealed text; otherwise a random one.
    pub(crate) seals_state: bool,
    /// The type of a provider's token is written in lower case; otherwise as the provider writes it.
    pub(crate) lowers_token_type: bool,
    /// An account that was just proved still says `expires_in`.
    pub(crate) keeps_expires_in: bool,
    /// The error code for a provider that answered with an error.
    pub(crate) provider_error: &'static str,
    /// A code that cannot be redeemed, or a profile that cannot be read, is an `OAuthCallback`; otherwise a `Callback`.
    pub(crate) names_exchange: bool,

    // Links by mail (section 8)
    /// The domain of an address has to have a dot.
    pub(crate) domain_needs_dot: bool,
    /// Links carry where the browser wants to go; otherwise its cookie alone knows.
    pub(crate) link_callback_url: bool,
    /// The error code of a link without a token.
    pub(crate) missing_token: &'static str,

    // Guards (section 16)
    pub(crate) sign_in_link: SignInLink,

    pub(crate) client: ClientRules,
}

/// What the npm client of a dialect sends, and how it reads the answer (section 15).
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "the client reads them"))]
pub(crate) struct ClientRules {
    /// Requests without a body say `Content-Type: application/json` too.
    pub(crate) types_gets: bool,
    /// A form asks for JSON by its field `json`.
    pub(crate) json_field: bool,
    /// A form asks for JSON by the header `X-Auth-Return-Redirect`.
    pub(crate) return_header: bool,
    /// The options `redirect` and `callbackUrl` are fields of the form where the caller named them; otherwise the form
    /// has the provider's fields, and `callbackUrl` at its end.
    pub(crate) sends_options: bool,
    /// `redirect: false` counts for every provider; otherwise for credentials and links by mail.
    pub(crate) stays_anywhere: bool,
    /// An update without data reads the session; otherwise it is posted like any other.
    pub(crate) reads_without_data: bool,
    /// A provider of sessions updates only what is there.
    pub(crate) updates_known: bool,
}

#[cfg(feature = "client")]
impl ClientRules {
    /// What servers of every dialect understand.
    pub(crate) const ANY: Self = Self { return_header: true, ..v4::RULES.client };
}

/// How session tokens are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFormat {
    /// A JWS signed with HS512 (v3); reads its encrypted form too.
    SignedHs512,
    /// A JWE with direct A256GCM, whose key does not depend on the cookie (v4).
    Gcm,
    /// A JWE with direct A256CBC-HS512, whose key depends on the cookie's name (v5).
    CbcHs512,
}

/// The answer to a method or an action that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsupported {
    /// 400 with a sentence.
    Text,
    /// 400 with the JSON string `"Bad request."`; where the action exists, `error=Configuration`.
    BadRequest,
}

/// Where a failed sign-in or form leads (section 13.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// All through the error page; a form without a CSRF token back to its own page with `csrf=true`.
    ErrorPage,
    /// Each code to the page that explains it, and no cookie is set.
    PageOfCode,
}

/// How values are put into the query of a custom page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageQuery {
    /// As `encodeURIComponent` does.
    Component,
    /// As forms do: a space is `+`.
    Form,
}

/// How a guard sends a browser to the sign-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInLink {
    /// `withAuth`: `callbackUrl` is the path and query.
    PathOnly,
    /// `auth()` as middleware: the query is kept and `callbackUrl` is the whole URL.
    KeepQuery,
}
