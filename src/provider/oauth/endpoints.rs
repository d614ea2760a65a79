//! The URLs of a provider.

use std::borrow::Cow;

/// Where a provider is asked. With OpenID Connect only what its discovery document does not say, or says wrong: what is
/// given here is not looked for there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Endpoints {
    pub(crate) authorization: Option<Cow<'static, str>>,
    pub(crate) token: Option<Cow<'static, str>>,
    pub(crate) userinfo: Option<Cow<'static, str>>,
    pub(crate) jwks: Option<Cow<'static, str>>,
    pub(crate) end_session: Option<Cow<'static, str>>,
}

impl Endpoints {
    /// The authorization endpoint and the token endpoint (RFC 6749 section 3).
    pub fn new(authorization: impl Into<Cow<'static, str>>, token: impl Into<Cow<'static, str>>) -> Self {
        Self { authorization: Some(authorization.into()), token: Some(token.into()), ..Self::default() }
    }

    /// Where the user's profile is (OpenID Connect Core section 5.3).
    pub fn userinfo(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.userinfo = Some(url.into());
        self
    }

    /// Where the keys are that ID tokens are signed with.
    pub fn jwks(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.jwks = Some(url.into());
        self
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Cow<'static, str>> {
        let all = [&self.authorization, &self.token, &self.userinfo, &self.jwks, &self.end_session];
        all.into_iter().flatten()
    }

    /// Where a browser is sent to sign out at the provider (OpenID Connect RP-Initiated Logout).
    pub fn end_session(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.end_session = Some(url.into());
        self
    }
}
