//! Where a provider does not keep to the specifications.

/// In what a provider departs from the specifications. All of it is data; the flow knows no provider.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Quirks {
    /// The issuer of its ID tokens has `{tenantid}` in it, which stands for the claim `tid` (Microsoft).
    pub tenant_issuer: bool,
    /// What stands between the issuer and `/.well-known/openid-configuration`, such as `/oauth`.
    pub discovery: &'static str,
    /// What `client_id` is called, such as `appid`.
    pub client_id: &'static str,
    /// What `client_secret` is called in a body, such as `secret`.
    pub client_secret: &'static str,
    /// What stands between scopes in the authorization request.
    pub scope_separator: char,
    /// Its answers have other content types than JSON's.
    pub any_content_type: bool,
    /// The profile is asked for with POST.
    pub userinfo_by_post: bool,
    /// The userinfo endpoint is one of introspection (RFC 7662): it is asked as this client, with the token in the body.
    pub introspects: bool,
    /// The access token goes into the query of the userinfo request under this name, and not into `Authorization`.
    pub token_in_query: Option<&'static str>,
    /// Further headers of the userinfo request; `{client_id}` stands for the client's id.
    pub userinfo_headers: &'static [(&'static str, &'static str)],
    /// Further resources that are read with the access token: the member of the profile that each becomes, and its
    /// URL. One that cannot be read is left out.
    pub more: &'static [(&'static str, &'static str)],
    /// The token response holds the tokens under this JSON pointer, such as `/authed_user`.
    pub tokens_at: &'static str,
    /// The token response holds the profile under this JSON pointer, as it is or as the claims of a token, and there is
    /// no userinfo endpoint.
    pub profile_in_tokens: Option<&'static str>,
    /// Members of the profile that stand in the token response alone: their names, and the JSON pointer of each.
    pub from_tokens: &'static [(&'static str, &'static str)],
    /// What else than `invalid_grant` (RFC 6749 section 5.2) it answers to a refresh token that is worth nothing: a JSON
    /// pointer, and the text there. Such a token is forgotten and its user has to sign in again, so name nothing that
    /// may mean something else: a fault of the client or of the server goes away, a token that was forgotten does not
    /// come back.
    ///
    /// ```
    /// use portcullis::{Endpoints, OAuth, Quirks};
    ///
    /// let endpoints = Endpoints::new("https://acme.example/authorize", "https://acme.example/token")
    ///     .userinfo("https://acme.example/me");
    /// let mut quirks = Quirks::NONE;
    /// quirks.refresh_refusals = &[("/error", "refresh_token_expired")];
    /// let provider = OAuth::oauth2("acme", endpoints, "my-client-id", "my-client-secret").quirks(quirks);
    /// # let _ = provider;
    /// ```
    pub refresh_refusals: &'static [(&'static str, &'static str)],
    /// It posts what the user is called beside the code, in the field `user` (Apple). That comes through the browser, so
    /// the user may have written it: nothing but a name may be read from it.
    pub posts_user: bool,
    /// Brings the profile into a shape that a [`ProfileMap`](super::ProfileMap) can read.
    pub adapt: Option<fn(&mut serde_json::Value)>,
}

impl Quirks {
    /// None.
    pub const NONE: Self = Self {
        tenant_issuer: false,
        discovery: "",
        client_id: "client_id",
        client_secret: "client_secret",
        scope_separator: ' ',
        any_content_type: false,
        userinfo_by_post: false,
        introspects: false,
        token_in_query: None,
        userinfo_headers: &[],
        more: &[],
        tokens_at: "",
        profile_in_tokens: None,
        from_tokens: &[],
        refresh_refusals: &[],
        posts_user: false,
        adapt: None,
    };
}
