//! Which cookies there are, and how an application may change them (`docs/protocol.md` section 2.1).

use crate::{
    cookie::spec::{CookieSpec, SameSite},
    dialect::Rules,
    error::ConfigError,
};

/// The cookies that an application may give other attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieKind {
    /// The session; its name is also the salt of the v5 key.
    SessionToken,
    /// Where to go after signing in.
    CallbackUrl,
    /// The double-submit token.
    CsrfToken,
    /// The `state` of a sign-in at a provider. Each sign-in has one more cookie of this name and a suffix.
    State,
    /// The code verifier (PKCE) of a sign-in at a provider.
    PkceCodeVerifier,
    /// The `nonce` of a sign-in at a provider.
    Nonce,
    /// Which mail this browser has asked for ([`Email::confirm`](crate::Email::confirm),
    /// [`same_browser`](crate::Email::same_browser), [`code`](crate::Email::code)).
    Email,
}

/// Changes to one cookie; what is not named stays as the dialect has it.
///
/// ```
/// use portcullis::{CookieOptions, SameSite};
///
/// // Shared by app.example.com and api.example.com:
/// let options = CookieOptions::new().domain("example.com").same_site(SameSite::Lax);
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct CookieOptions {
    name: Option<String>,
    domain: Option<String>,
    path: Option<String>,
    same_site: Option<SameSite>,
    secure: Option<bool>,
}

impl CookieOptions {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name, prefix included: with `__Secure-` or `__Host-` the browser enforces what they promise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The domain whose hosts all get the cookie. Without it only the host that set it does, which is safer.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The path under which the cookie is sent; `/` by default.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// When it is sent across sites; [`SameSite::Lax`] by default.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// Whether it is sent over https only; by default exactly when the site's origin is https.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = Some(secure);
        self
    }

    fn apply(&self, mut spec: CookieSpec) -> CookieSpec {
        if let Some(name) = &self.name {
            spec.name.clone_from(name);
        }
        if let Some(path) = &self.path {
            spec.path.clone_from(path);
        }
        spec.domain = self.domain.clone().or(spec.domain);
        spec.same_site = self.same_site.unwrap_or(spec.same_site);
        spec.secure = self.secure.unwrap_or(spec.secure);
        spec
    }
}

/// What the application decided about its cookies.
#[derive(Debug, Clone, Default)]
pub(crate) struct CookiePolicy {
    /// Overrides the rule that an https origin has secure cookies.
    pub(crate) secure: Option<bool>,
    pub(crate) overrides: Vec<(CookieKind, CookieOptions)>,
}

/// The cookies of one dialect at one scheme.
#[derive(Debug, Clone)]
pub(crate) struct CookieNames {
    pub(crate) session_token: CookieSpec,
    pub(crate) callback_url: CookieSpec,
    pub(crate) csrf_token: CookieSpec,
    pub(crate) state: CookieSpec,
    pub(crate) pkce_code_verifier: CookieSpec,
    pub(crate) nonce: CookieSpec,
    pub(crate) email: CookieSpec,
}

impl CookieNames {
    pub(crate) fn new(rules: &Rules, policy: &CookiePolicy, https: bool) -> Self {
        let secure = policy.secure.unwrap_or(https);
        let spec = |kind, prefix: &str, name: &str| {
            let prefix = if secure { prefix } else { "" };
            let default = CookieSpec {
                name: format!("{prefix}{}.{name}", rules.cookie_stem),
                domain: None,
                path: "/".to_owned(),
                secure,
                same_site: SameSite::Lax,
                removal_expires: rules.removal_expires,
            };
            let changes = policy.overrides.iter().filter(|(of, _)| *of == kind);
            changes.fold(default, |spec, (_, options)| options.apply(spec))
        };
        Self {
            session_token: spec(CookieKind::SessionToken, "__Secure-", "session-token"),
            callback_url: spec(CookieKind::CallbackUrl, "__Secure-", "callback-url"),
            csrf_token: spec(CookieKind::CsrfToken, "__Host-", "csrf-token"),
            state: spec(CookieKind::State, "__Secure-", "state"),
            pkce_code_verifier: spec(CookieKind::PkceCodeVerifier, "__Secure-", "pkce.code_verifier"),
            nonce: spec(CookieKind::Nonce, "__Secure-", "nonce"),
            email: spec(CookieKind::Email, "__Secure-", "email"),
        }
    }

    /// What a browser or the wire would refuse, each with its remedy.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut problems = ConfigError::none();
        let Self { session_token, callback_url, csrf_token, state, pkce_code_verifier, nonce, email } = self;
        for spec in [session_token, callback_url, csrf_token, state, pkce_code_verifier, nonce, email] {
            check_spec(spec, &mut problems);
        }
        problems.into_result()
    }
}

fn check_spec(spec: &CookieSpec, problems: &mut ConfigError) {
    let name = &spec.name;
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        problems.add(
            format!("the cookie name {name:?} is not a token of RFC 9110"),
            "use letters, digits, '-', '_' and '.' only",
        );
    }
    for (what, value) in [("path", Some(&spec.path)), ("domain", spec.domain.as_ref())] {
        if value.is_some_and(|value| !value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';')) {
            problems.add(
                format!("the {what} of the cookie {name} has characters that a header cannot carry"),
                "use visible ASCII without ';'",
            );
        }
    }
    if name.starts_with("__Host-") && (spec.domain.is_some() || spec.path != "/" || !spec.secure) {
        problems.add(
            format!("browsers refuse the cookie {name}: __Host- means Secure, Path=/ and no Domain"),
            "give the cookie a name without __Host-, for instance with __Secure-",
        );
    }
    if name.starts_with("__Secure-") && !spec.secure {
        problems.add(
            format!("browsers refuse the cookie {name}: __Secure- means Secure"),
            "leave the cookie Secure, or give it a name without the prefix",
        );
    }
    if spec.same_site == SameSite::None && !spec.secure {
        problems.add(
            format!("browsers refuse the cookie {name}: SameSite=None means Secure"),
            "serve over https or use SameSite::Lax",
        );
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
