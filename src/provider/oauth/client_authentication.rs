//! How this application proves to a provider's token endpoint that it is the registered client.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    codec::{Jws, JwsAlgorithm, JwsKeys},
    error::ConfigError,
};

/// How a client authenticates at the token endpoint (RFC 6749 section 2.3, OpenID Connect Core section 9).
///
/// A text is a client secret that is sent as the provider usually wants it: as its [preset](crate::preset) says, else with
/// HTTP Basic authentication, which is what every provider has to know. Whoever names a way has that one, also with a
/// preset.
///
/// ```
/// use portcullis::{ClientAuthentication, OAuth};
///
/// let issuer = "https://id.example";
/// let basic = OAuth::oidc("a", issuer, "my-client-id", "my-client-secret");
/// let post = OAuth::oidc("b", issuer, "my-client-id", ClientAuthentication::secret_post("my-client-secret"));
/// let public = OAuth::oidc("c", issuer, "my-client-id", ClientAuthentication::public());
/// # let _ = (basic, post, public);
/// ```
#[derive(Clone)]
pub struct ClientAuthentication {
    pub(crate) method: Method,
}

#[derive(Clone)]
pub(crate) enum Method {
    /// A secret of which nothing was said but its text: `client_secret_basic`, unless the preset knows better.
    Text(Zeroizing<String>),
    /// `client_secret_basic`.
    Basic(Zeroizing<String>),
    /// `client_secret_post`.
    Post(Zeroizing<String>),
    /// `private_key_jwt` (RFC 7523 section 2.2).
    PrivateKey(Arc<Jws>),
    /// A secret that is signed anew for each request, by the issuer that is named, for the audience that is named.
    Signed { jws: Arc<Jws>, issuer: String, audience: &'static str },
    /// None: whoever redeems a code proves with PKCE that they asked for it.
    Public,
}

impl ClientAuthentication {
    /// A client secret in the `Authorization` header: `client_secret_basic`.
    pub fn secret_basic(secret: impl Into<String>) -> Self {
        Self { method: Method::Basic(Zeroizing::new(secret.into())) }
    }

    /// A client secret in the body of the request: `client_secret_post`.
    pub fn secret_post(secret: impl Into<String>) -> Self {
        Self { method: Method::Post(Zeroizing::new(secret.into())) }
    }

    /// A private key in PEM (PKCS#8), whose public half is registered at the provider under `key_id`:
    /// `private_key_jwt`.
    ///
    /// # Errors
    ///
    /// When the text is no private key for `algorithm`.
    ///
    /// ```
    /// use portcullis::{ClientAuthentication, OAuth, codec::JwsAlgorithm};
    ///
    /// # let key = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-p256.private.pem"));
    /// let key = ClientAuthentication::private_key_jwt(JwsAlgorithm::ES256, "2026-01", key)?;
    /// let provider = OAuth::oidc("corporate", "https://id.example", "my-client-id", key);
    /// # let _ = provider;
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn private_key_jwt(
        algorithm: JwsAlgorithm,
        key_id: &str,
        private_key: &[u8],
    ) -> Result<Self, ConfigError> {
        let jws = Jws::new(algorithm, JwsKeys::private_pem(algorithm, private_key)?)?.with_key_id(key_id);
        Ok(Self { method: Method::PrivateKey(Arc::new(jws)) })
    }

    /// A client secret that Apple takes: a token that is signed with the key (a `.p8` file) which Apple has given to
    /// the team, and made anew for each request.
    ///
    /// # Errors
    ///
    /// When the text is no such key.
    pub fn apple(team_id: &str, key_id: &str, private_key: &[u8]) -> Result<Self, ConfigError> {
        let algorithm = JwsAlgorithm::ES256;
        let jws = Jws::new(algorithm, JwsKeys::private_pem(algorithm, private_key)?)?.with_key_id(key_id);
        Ok(Self {
            method: Method::Signed {
                jws: Arc::new(jws),
                issuer: team_id.to_owned(),
                audience: "https://appleid.apple.com",
            },
        })
    }

    /// None, for a public client. PKCE takes its place.
    pub fn public() -> Self {
        Self { method: Method::Public }
    }

    /// The same, with a secret in the body if nothing but its text was said.
    pub(crate) fn or_in_body(self) -> Self {
        match self.method {
            Method::Text(secret) => Self { method: Method::Post(secret) },
            method => Self { method },
        }
    }

    /// The secret, if there is one, for ID tokens that are signed with it.
    pub(crate) fn secret(&self) -> Option<&str> {
        match &self.method {
            Method::Text(secret) | Method::Basic(secret) | Method::Post(secret) => Some(secret),
            Method::PrivateKey(_) | Method::Signed { .. } | Method::Public => None,
        }
    }

    pub(super) fn check(&self, provider: &str, problems: &mut ConfigError) {
        if self.secret().is_some_and(str::is_empty) {
            problems.add(
                format!("the client secret of the provider {provider:?} is empty"),
                "use the secret that the provider has given, or ClientAuthentication::public() for a client without one",
            );
        }
    }
}

impl From<&str> for ClientAuthentication {
    fn from(secret: &str) -> Self {
        Self::from(secret.to_owned())
    }
}

impl From<String> for ClientAuthentication {
    fn from(secret: String) -> Self {
        Self { method: Method::Text(Zeroizing::new(secret)) }
    }
}

/// The method, and no secret.
impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            Method::Text(_) => "client_secret",
            Method::Basic(_) => "client_secret_basic",
            Method::Post(_) => "client_secret_post",
            Method::PrivateKey(_) => "private_key_jwt",
            Method::Signed { .. } => "client_secret_post (signed)",
            Method::Public => "none",
        })
    }
}
