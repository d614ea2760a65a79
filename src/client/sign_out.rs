//! Options of `signOut` (`docs/protocol.md` section 15.3).

/// What [`Client::sign_out`](super::Client::sign_out) is given.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct SignOutOptions {
    pub(super) callback_url: Option<String>,
}

impl SignOutOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where to go afterwards, `redirectTo` of v5: a path, or a URL that the server's `redirect` callback allows.
    pub fn callback_url(mut self, url: impl Into<String>) -> Self {
        self.callback_url = Some(url.into());
        self
    }
}
