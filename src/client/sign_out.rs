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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, Response};

    use super::*;
    use crate::client::{Client, ClientErrorKind};

    /// Where a server leads to.
    async fn sign_out(leads_to: &'static str, options: SignOutOptions) -> Result<String, ClientErrorKind> {
        let send = move |request: Request<Bytes>| async move {
            let body = match request.uri().path().ends_with("/csrf") {
                true => r#"{"csrfToken":"token"}"#.into(),
                false => format!(r#"{{"url":"{leads_to}"}}"#),
            };
            Ok(Response::new(Bytes::from(body)))
        };
        let client = Client::builder("https://app.example").http_client(send).build().unwrap();
        client.sign_out(options).await.map_err(|error| error.kind())
    }

    /// Servers answer 200 to a form without a CSRF token that they know, and the session goes on.
    #[tokio::test]
    async fn a_sign_out_that_was_refused_is_none() {
        for (refused, kind) in [
            ("https://app.example/api/auth/signout?csrf=true", ClientErrorKind::Csrf),
            ("https://app.example/api/auth/error?error=MissingCSRF", ClientErrorKind::Csrf),
            ("/api/auth/signin?error=MissingCSRF", ClientErrorKind::Csrf),
            ("/api/auth/error?error=Configuration", ClientErrorKind::Shape),
        ] {
            assert_eq!(sign_out(refused, SignOutOptions::new()).await, Err(kind), "{refused}");
        }
        for (wanted, url) in [
            ("https://app.example", "https://app.example/"),
            ("/bye", "https://app.example/bye"),
            ("/api/auth/signin", "https://app.example/api/auth/signin"),
            ("/bye?error=none", "https://app.example/bye?error=none"),
        ] {
            let outcome = sign_out(url, SignOutOptions::new().callback_url(wanted)).await;
            assert_eq!(outcome.as_deref(), Ok(url), "{wanted}");
        }
        let provider = "https://acme.example/logout?client_id=1&state=2";
        assert_eq!(sign_out(provider, SignOutOptions::new()).await.as_deref(), Ok(provider));
    }
}
