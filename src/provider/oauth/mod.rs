//! OAuth 2 and OpenID Connect: what an application says of a provider (`docs/protocol.md` section 7).
//!
//! Everything in which providers differ is data here, or a small function that is given here; how a sign-in goes
//! stands in the module `oauth` and knows no provider.

mod button;
mod client_authentication;
mod endpoints;
mod profile;
mod quirks;

use std::{borrow::Cow, fmt, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use self::client_authentication::Method;
pub use self::{
    button::ButtonStyle,
    client_authentication::ClientAuthentication,
    endpoints::Endpoints,
    profile::{Profile, ProfileMap, Proof},
    quirks::Quirks,
};
use super::Provider;
use crate::{
    account::LinkingPolicy,
    codec::JwsAlgorithm,
    error::{BoxError, ConfigError},
    user::User,
};

/// A provider of OAuth 2 or OpenID Connect.
///
/// For one of the well-known ones there is a preset in [`preset`](crate::preset), such as
/// [`GitHub`](crate::preset::GitHub). For any other one, OpenID Connect needs its issuer alone:
///
/// ```
/// use portcullis::{Auth, OAuth, OriginPolicy, Secret};
///
/// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
///     .origin(OriginPolicy::fixed("https://app.example")?)
///     .provider(OAuth::oidc("corporate", "https://id.example", "my-client-id", "my-client-secret"))
///     .build()?;
/// # let _ = auth;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
///
/// OAuth 2 knows no discovery and no ID token, so it needs its endpoints, and which member of the profile is what:
///
/// ```
/// use portcullis::{Endpoints, OAuth, ProfileMap};
///
/// let endpoints = Endpoints::new("https://acme.example/authorize", "https://acme.example/token")
///     .userinfo("https://acme.example/me");
/// let provider = OAuth::oauth2("acme", endpoints, "my-client-id", "my-client-secret")
///     .scope("user email")
///     .profile_map(ProfileMap { image: &["/avatar"], ..ProfileMap::PLAIN });
/// # let _ = provider;
/// ```
///
/// PKCE with S256 and `state` are always used, and `nonce` with OpenID Connect; what a provider cannot do is switched
/// off by name. The redirect URI to register at the provider is `{origin}{base path}/callback/{id}`.
#[derive(Clone)]
#[must_use]
pub struct OAuth {
    pub(crate) id: Cow<'static, str>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) protocol: Protocol,
    pub(crate) client_id: String,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) issuer: Option<String>,
    /// How it always ends.
    pub(crate) issuer_ending: &'static str,
    pub(crate) endpoints: Endpoints,
    pub(crate) scope: Cow<'static, str>,
    pub(crate) authorization_params: Vec<(String, String)>,
    pub(crate) token_params: Vec<(String, String)>,
    pub(crate) userinfo_headers: HeaderMap,
    pub(crate) pkce: bool,
    pub(crate) nonce: bool,
    pub(crate) form_post: bool,
    pub(crate) reads_userinfo: bool,
    pub(crate) algorithms: Vec<JwsAlgorithm>,
    pub(crate) quirks: Quirks,
    pub(crate) map: ProfileMap,
    pub(crate) read: Option<ReadProfile>,
    pub(crate) button: ButtonStyle,
    pub(crate) federated_logout: bool,
    pub(crate) linking: Option<LinkingPolicy>,
}

/// A function of the application that reads a profile.
pub(crate) type ReadProfile = Arc<dyn Fn(&Profile) -> Result<User, BoxError> + Send + Sync>;

/// Which of the two a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// OAuth 2 (RFC 6749): who the user is stands at the userinfo endpoint.
    OAuth2,
    /// OpenID Connect: who the user is stands in a signed ID token.
    Oidc,
}

impl Protocol {
    /// What Auth.js 5 calls a provider, or an account of one, that speaks it.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::OAuth2 => "oauth",
            Self::Oidc => "oidc",
        }
    }
}

impl OAuth {
    /// A provider of OpenID Connect, by its issuer: exactly as it writes itself in its discovery document, which is
    /// read from `{issuer}/.well-known/openid-configuration`.
    ///
    /// A text is a secret that is sent with HTTP Basic authentication (`client_secret_basic`); see
    /// [`ClientAuthentication`] for the other ways.
    pub fn oidc(
        id: impl Into<Cow<'static, str>>,
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        authentication: impl Into<ClientAuthentication>,
    ) -> Self {
        Self {
            issuer: Some(issuer.into()),
            scope: "openid profile email".into(),
            map: ProfileMap::OIDC,
            ..Self::of(Protocol::Oidc, id.into(), client_id.into(), authentication.into())
        }
    }

    /// A provider of OAuth 2.
    pub fn oauth2(
        id: impl Into<Cow<'static, str>>,
        endpoints: Endpoints,
        client_id: impl Into<String>,
        authentication: impl Into<ClientAuthentication>,
    ) -> Self {
        Self { endpoints, ..Self::of(Protocol::OAuth2, id.into(), client_id.into(), authentication.into()) }
    }

    pub(crate) fn of(
        protocol: Protocol,
        id: Cow<'static, str>,
        client_id: String,
        authentication: ClientAuthentication,
    ) -> Self {
        Self {
            name: id.clone(),
            id,
            protocol,
            client_id,
            authentication,
            issuer: None,
            issuer_ending: "",
            endpoints: Endpoints::default(),
            scope: "".into(),
            authorization_params: Vec::new(),
            token_params: Vec::new(),
            userinfo_headers: HeaderMap::new(),
            pkce: true,
            nonce: protocol == Protocol::Oidc,
            form_post: false,
            reads_userinfo: protocol == Protocol::OAuth2,
            algorithms: JwsAlgorithm::ASYMMETRIC.to_vec(),
            quirks: Quirks::NONE,
            map: ProfileMap::PLAIN,
            read: None,
            button: ButtonStyle::default(),
            federated_logout: false,
            linking: None,
        }
    }

    /// Another id: part of the redirect URI, and of the key of every account.
    pub fn with_id(mut self, id: impl Into<Cow<'static, str>>) -> Self {
        self.id = id.into();
        self
    }

    /// The name on the button.
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The issuer, for presets of which everybody runs their own.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        let (mut issuer, ending) = (issuer.into(), self.issuer_ending);
        let bare = ending.trim_end_matches('/');
        if !ending.is_empty() {
            let start = issuer.trim_end_matches('/');
            issuer = format!("{}{ending}", start.strip_suffix(bare).unwrap_or(start));
        }
        self.issuer = Some(issuer);
        self
    }

    /// Where the provider is asked, in place of what its preset or its discovery document says.
    ///
    /// A provider of OpenID Connect that has no discovery document, or none that can be used, needs three of them: for
    /// authorization, tokens and keys, and the one of [`reading_userinfo`](Self::reading_userinfo) with that. ID tokens then
    /// have to be of the issuer exactly as it was configured.
    ///
    /// ```
    /// use portcullis::{Endpoints, OAuth};
    ///
    /// let endpoints = Endpoints::new("https://id.example/authorize", "https://id.example/token")
    ///     .jwks("https://id.example/keys");
    /// let provider = OAuth::oidc("corporate", "https://id.example", "my-client-id", "my-client-secret")
    ///     .endpoints(endpoints);
    /// # let _ = provider;
    /// ```
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        let new = endpoints;
        let old = &mut self.endpoints;
        old.authorization = new.authorization.or(old.authorization.take());
        old.token = new.token.or(old.token.take());
        old.userinfo = new.userinfo.or(old.userinfo.take());
        old.jwks = new.jwks.or(old.jwks.take());
        old.end_session = new.end_session.or(old.end_session.take());
        self
    }

    /// What the application asks for, with blanks in between. It replaces what a preset asks for, or `openid profile
    /// email` with OpenID Connect: repeat what is to stay. With OpenID Connect `openid` has to be in it.
    ///
    /// ```
    /// use portcullis::preset::Keycloak;
    ///
    /// let keycloak = Keycloak::new("my-client-id", "my-client-secret")
    ///     .issuer("https://id.example/realms/main")
    ///     .scope("openid profile email offline_access"); // a refresh token, too
    /// # let _ = keycloak;
    /// ```
    pub fn scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.scope = scope.into();
        self
    }

    /// A further parameter of the authorization request, such as `prompt` with `consent`. What the flow itself sends
    /// (`state`, `redirect_uri`, `nonce`, ...) cannot be set. A client's `signIn` may ask for another value
    /// (`docs/protocol.md` section 7.1), so nothing that has to hold may depend on one: judge the profile in `on_sign_in`.
    pub fn authorization_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.authorization_params.push((name.into(), value.into()));
        self
    }

    /// A further parameter of the token request, such as `resource` (RFC 8707).
    pub fn token_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.token_params.push((name.into(), value.into()));
        self
    }

    /// A further header of the requests for the profile, for a provider that wants a key of the application there.
    ///
    /// ```
    /// use http::{HeaderName, HeaderValue};
    /// use portcullis::preset::Bungie;
    ///
    /// let key = HeaderValue::from_static("my-api-key");
    /// let bungie = Bungie::new("my-client-id", "my-client-secret")
    ///     .userinfo_header(HeaderName::from_static("x-api-key"), key);
    /// # let _ = bungie;
    /// ```
    pub fn userinfo_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.userinfo_headers.insert(name, value);
        self
    }

    /// For a provider that refuses PKCE (RFC 7636). Most that do not know it pass it over; leave it on for those.
    pub fn without_pkce(mut self) -> Self {
        self.pkce = false;
        self
    }

    /// For a provider that does not give `nonce` back in its ID token.
    pub fn without_nonce(mut self) -> Self {
        self.nonce = false;
        self
    }

    /// Asks for `response_mode=form_post`: the provider posts its answer, so the code is in no URL of its making.
    pub fn form_post(mut self) -> Self {
        self.form_post = true;
        self
    }

    /// With OpenID Connect: reads the userinfo endpoint too, for claims that are not in the ID token.
    pub fn reading_userinfo(mut self) -> Self {
        self.reads_userinfo = true;
        self
    }

    /// The algorithms of ID tokens that are taken: by default all with a public key. With one of HS256, HS384 and
    /// HS512 the client secret is the key.
    pub fn id_token_algorithms(mut self, algorithms: impl IntoIterator<Item = JwsAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// In what it departs from the specifications.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Which member of the profile is what of the user.
    pub fn profile_map(mut self, map: ProfileMap) -> Self {
        self.map = map;
        self
    }

    /// Reads the profile with a function of the application. The user's `id` is the key of their account at the
    /// provider: it has to be what the provider never gives to anybody else.
    ///
    /// ```
    /// use portcullis::{OAuth, User};
    ///
    /// let provider = OAuth::oidc("corporate", "https://id.example", "my-client-id", "my-client-secret")
    ///     .profile(|profile| {
    ///         let user = User::new(profile.text("/sub").ok_or("no sub")?);
    ///         Ok(user.name(profile.text("/{/given_name} {/family_name}").unwrap_or_default()))
    ///     });
    /// # let _ = provider;
    /// ```
    pub fn profile(
        mut self,
        read: impl Fn(&Profile) -> Result<User, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.read = Some(Arc::new(read));
        self
    }

    /// Signing out ends the session at the provider, too: the browser is led there after it is signed out here, and
    /// comes back to the origin of this site, which has to be registered there as `post_logout_redirect_uri`
    /// (OpenID Connect RP-Initiated Logout). Off by default, as in Auth.js. It is without a slash at the end, and the
    /// `callbackUrl` of such a sign-out does not count. [`AuthContext::sign_out`](crate::AuthContext::sign_out) signs out
    /// here only.
    ///
    /// The other way round, the provider may tell of a sign-out at `{base path}/backchannel-logout/{id}` (OpenID Connect
    /// Back-Channel Logout): that ends the sessions here that were begun with the one there, or where it names none, all that
    /// this user has begun with that provider, if they live in a store or [revocations](crate::AuthBuilder::revocation) are
    /// kept.
    ///
    /// For both each session remembers the provider and its session there, in the member `idp` of the token's claims
    /// or of the row's data. One that does not is not led to the provider, and ends with any logout of its user there:
    /// what Node has made, what was begun before this was switched on, and all in a table without a column `data`, of which
    /// `build()` warns. Without a store, with the random ids of the dialect v5, nobody knows whose such a token is: it goes on
    /// until it expires, though the provider is answered that all went well.
    pub fn federated_logout(mut self) -> Self {
        self.federated_logout = true;
        self
    }

    /// When an account of this provider may sign in as the user who has its e-mail address, in place of what
    /// [`AuthBuilder::linking`](crate::AuthBuilder::linking) says for all: what one provider says of addresses may be
    /// believed more than what another one says. With [`VerifiedOnBothSides`](LinkingPolicy::VerifiedOnBothSides) mailed
    /// links are judged by that, too.
    pub fn linking(mut self, policy: LinkingPolicy) -> Self {
        self.linking = Some(policy);
        self
    }

    /// How its button looks on the sign-in page.
    pub fn button(mut self, button: ButtonStyle) -> Self {
        self.button = button;
        self
    }

    /// What keeps it from working, each with its remedy.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        let id = &self.id;
        if self.client_id.is_empty() {
            problems.add(
                format!("the provider {id:?} has no client id"),
                "register the application at the provider, and use the id that it is given there",
            );
        }
        let from_issuer = self.endpoints.all().any(|url| url.contains("{issuer}"));
        let needs_issuer = (self.protocol == Protocol::Oidc || from_issuer) && self.issuer.is_none();
        let missing = |endpoint: &Option<_>| endpoint.is_none() && self.issuer.is_none();
        if needs_issuer || missing(&self.endpoints.authorization) || missing(&self.endpoints.token) {
            problems.add(
                format!("the provider {id:?} has neither an issuer nor endpoints"),
                "set its issuer with .issuer(..) (presets read AUTH_<ID>_ISSUER), or its endpoints with .endpoints(..)",
            );
        }
        if self.protocol == Protocol::OAuth2
            && self.endpoints.userinfo.is_none()
            && self.quirks.profile_in_tokens.is_none()
        {
            problems.add(
                format!("the provider {id:?} has no userinfo endpoint, so it could not say who signs in"),
                "add it with Endpoints::userinfo",
            );
        }
        // Without any scope `openid` is asked for. One that is given as a parameter is whoever's who knows better.
        let mut scopes = self.scope.split_whitespace().peekable();
        let is_oidc = self.protocol == Protocol::Oidc;
        if is_oidc && scopes.peek().is_some() && !scopes.any(|scope| scope == "openid") {
            problems.add(
                format!("the scope of the provider {id:?} has no `openid`, so there would be no ID token"),
                "write the whole scope in .scope(..), such as \"openid profile email\": it replaces the preset's",
            );
        }
        if self.federated_logout && self.protocol == Protocol::OAuth2 && self.endpoints.end_session.is_none()
        {
            problems.add(
                format!("the provider {id:?} speaks OAuth 2, which knows no sign-out at the provider"),
                "remove .federated_logout(): it is for OpenID Connect",
            );
        }
        let is_bound = |name: &str| is_reserved(name) || name == self.quirks.client_id;
        let reserved = self.authorization_params.iter().find(|(name, _)| is_bound(name));
        if let Some((name, _)) = reserved {
            problems.add(
                format!("the authorization parameter {name:?} of the provider {id:?} belongs to the flow"),
                "leave it out: it is set for each sign-in",
            );
        }
        self.authentication.check(id, problems);
    }
}

/// Whether the flow itself sets this parameter of the authorization request: nobody else may.
pub(crate) fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 11] = [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        // Not OAuth's: where the browser goes afterwards is nothing that the provider needs to know.
        "callbackUrl",
    ];
    RESERVED.contains(&name)
}

impl From<OAuth> for Provider {
    fn from(oauth: OAuth) -> Self {
        Self::OAuth(Arc::new(oauth))
    }
}

/// Without the secret.
impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("id", &self.id)
            .field("protocol", &self.protocol)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
