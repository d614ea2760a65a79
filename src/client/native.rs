//! Sign-in at a provider from a program that is no browser (RFC 8252).

mod listener;

use std::time::Duration;

use url::Url;

use self::listener::{Listener, Verdict};
use super::{
    Client, ClientError, ClientSafeProvider, SignInOptions, SignInResponse,
    server::{Outcome, place},
    sign_in::{named, parameter, sign_in_at},
};
use crate::{clock::within, error::BoxError};

/// How [`Client::sign_in_native`] goes about it.
///
/// ```
/// use std::time::Duration;
/// use portcullis::client::NativeSignIn;
///
/// let how = NativeSignIn::at("github").authorization_param("prompt", "select_account").time_limit(Duration::from_secs(120));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NativeSignIn {
    provider: String,
    authorization_params: Vec<(String, String)>,
    port: u16,
    time_limit: Duration,
}

impl NativeSignIn {
    /// At the provider with this id.
    pub fn at(provider: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            authorization_params: Vec::new(),
            port: 0,
            time_limit: Duration::from_secs(5 * 60),
        }
    }

    /// A parameter for the provider, as in the last argument of [`Client::sign_in`].
    pub fn authorization_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.authorization_params.push((name.into(), value.into()));
        self
    }

    /// The port of 127.0.0.1 that the browser comes back to: a free one unless set. Servers that do not know
    /// [`native_clients`](crate::AuthBuilder::native_clients) need one that is always the same.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How long the user may take: five minutes unless set. Servers give them a quarter of an hour at most.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }
}

impl<U> Client<U> {
    /// Signs in at a provider of OAuth or OpenID Connect, in the user's own browser, where they may be signed in there
    /// already and where no program sees their password.
    ///
    /// `open` is given the provider's URL, which is one of https or http, and opens it. The browser comes back to a listener on 127.0.0.1, which hands
    /// what the provider has said to the server, with the cookies of this client: its session is in the jar then, not in
    /// the browser. What came back is of no use without those cookies (PKCE).
    ///
    /// How the browser gets to the listener is for the server to say. With
    /// [`AuthBuilder::native_clients`](crate::AuthBuilder::native_clients) it passes on what belongs to this client, and
    /// the provider knows the server's usual redirect URI only. Any other server of Auth.js whose clients are all native
    /// has an `AUTH_URL` of `http://127.0.0.1:PORT`, so that the provider itself leads there; the
    /// [`port`](NativeSignIn::port) is fixed then. A program with a web view needs neither: see
    /// [`complete_sign_in`](Self::complete_sign_in).
    ///
    /// ```no_run
    /// # async fn example(client: portcullis::client::Client) -> Result<(), portcullis::client::ClientError> {
    /// use portcullis::client::NativeSignIn;
    ///
    /// let outcome = client
    ///     .sign_in_native(NativeSignIn::at("github"), |url| {
    ///         std::process::Command::new("xdg-open").arg(url).spawn()?;
    ///         Ok(())
    ///     })
    ///     .await?;
    /// assert_eq!(outcome.error, None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Browser`](super::ClientErrorKind::Browser), when the user does not come back in time, the port is taken or
    /// `open` fails; [`Unsupported`](super::ClientErrorKind::Unsupported), when the server has no such provider of OAuth;
    /// and when the server cannot be asked. That the provider or the server refuses is the
    /// [`error`](SignInResponse::error) of the result.
    pub async fn sign_in_native(
        &self,
        how: NativeSignIn,
        open: impl FnOnce(&str) -> Result<(), BoxError>,
    ) -> Result<SignInResponse, ClientError> {
        let server = self.server();
        let mut providers = self.get_providers().await?;
        providers.retain(leads_to_a_browser);
        let provider = providers.iter().find(|known| known.id == how.provider);
        let provider = provider.ok_or_else(|| no_such_provider(&how.provider, &providers))?;
        let callback = server.endpoint(&["callback", &how.provider]);
        let listener = Listener::bind(how.port, callback.path()).await?;
        let params: Vec<_> =
            how.authorization_params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let options = SignInOptions::new().callback_url(listener.address());
        let begun = sign_in_at(self, provider, options, &params, None).await?;
        if let Some(error) = begun.error() {
            return Ok(SignInResponse::refused(error.into_owned()));
        }
        // Whatever opens it would open programs and files as well. A server that names no URL leads to where the sign-in
        // was to go, which is the listener.
        let url = begun.url().filter(|url| *url != listener.address()).and_then(|url| Url::parse(url).ok());
        let sign_in_page = server.endpoint(&["signin"]);
        let is_for_a_browser = |url: &Url| {
            matches!(url.scheme(), "https" | "http")
                && (url.origin(), url.path()) != (sign_in_page.origin(), sign_in_page.path())
        };
        let url = url.filter(is_for_a_browser).ok_or_else(|| {
            let asked = server.endpoint(&["signin", &how.provider]);
            ClientError::shape(asked.as_str(), "with the URL of a provider")
        })?;
        open(url.as_str()).map_err(|error| {
            ClientError::browser_failed("the browser could not be opened: show the user the URL", error)
        })?;
        let answered =
            within(&*server.clock, how.time_limit, listener.answer(parameter(&url, "state"))).await;
        let visit = answered.ok_or_else(|| ClientError::browser(NOT_BACK))?;
        let mut url = callback;
        url.set_query(Some(&visit.query));
        let outcome = self.follow(&url).await.and_then(|outcome| self.result_of(&url, outcome));
        visit.respond(match &outcome {
            Ok(response) if response.error.is_none() && response.ok => Verdict::SignedIn,
            _ => Verdict::Refused,
        });
        outcome
    }

    /// Ends a sign-in that began with this client and went on elsewhere: `url` is where the browser was sent in the end,
    /// or the link in the mail. Of it counts what follows `/callback/`.
    ///
    /// For web views, which hand over the URL instead of going there, and for programs that the user opens a link with.
    /// Where the server asks first whether a mailed link is meant ([`Email::confirm`](crate::Email::confirm)), it is told so if
    /// this visitor has asked for it; a link that somebody else has asked for waits for [`confirm_sign_in`](Self::confirm_sign_in).
    ///
    /// ```no_run
    /// # async fn example(client: portcullis::client::Client, stopped_at: &str) -> Result<(), portcullis::client::ClientError> {
    /// let outcome = client.complete_sign_in(stopped_at).await?;
    /// if let Some(error) = outcome.error {
    ///     println!("not signed in: {error}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unsupported`](super::ClientErrorKind::Unsupported), when the URL is none of a callback;
    /// [`Unconfirmed`](super::ClientErrorKind::Unconfirmed), when the user has to say first that they mean it; and when the
    /// server cannot be asked, or does not say where the sign-in goes on.
    pub async fn complete_sign_in(&self, url: &str) -> Result<SignInResponse, ClientError> {
        self.complete(url, false).await
    }

    /// The same, after the user has said that they want to be signed in with this link, whoever has asked for it: it signs
    /// in whomever it was sent to. Nobody should say so of a link that they did not ask for.
    ///
    /// # Errors
    ///
    /// As [`complete_sign_in`](Self::complete_sign_in).
    pub async fn confirm_sign_in(&self, url: &str) -> Result<SignInResponse, ClientError> {
        self.complete(url, true).await
    }

    async fn complete(&self, url: &str, is_confirmed: bool) -> Result<SignInResponse, ClientError> {
        let no_callback = || ClientError::unsupported("the URL is none that a sign-in comes back to");
        let came_back = Url::parse(url).map_err(|_| no_callback())?;
        let (_, provider) = came_back.path().rsplit_once("/callback/").ok_or_else(no_callback)?;
        let mut url = self.server().endpoint(&["callback"]);
        let callbacks = format!("{}/", url.path());
        url.set_path(&format!("{callbacks}{provider}"));
        // Whoever has made the URL would otherwise have anything asked that is at the server, by `..` and the like.
        let asked = url.path().strip_prefix(&callbacks).filter(|id| !id.is_empty() && !id.contains('/'));
        asked.ok_or_else(no_callback)?;
        url.set_query(came_back.query());
        let mut outcome = self.follow(&url).await?;
        if outcome.is_page() {
            if !is_confirmed && !self.server().has_asked_for_mail(&url) {
                return Err(ClientError::unconfirmed(&place(&url)));
            }
            outcome = self.server().confirm(&url).await?;
            self.server().jar.announce(None);
        }
        self.result_of(&url, outcome)
    }

    async fn follow(&self, url: &Url) -> Result<Outcome, ClientError> {
        let outcome = self.server().follow(url).await;
        self.server().jar.announce(None);
        outcome
    }

    /// What has come of a callback, by where it leads to.
    fn result_of(&self, callback: &Url, outcome: Outcome) -> Result<SignInResponse, ClientError> {
        if outcome.url.is_none() {
            return Err(ClientError::shape(&place(callback), "where the sign-in goes on"));
        }
        match outcome.destination().and_then(|to| self.silent_refusal(callback, &to)) {
            Some(error) => Ok(SignInResponse::refused(error.to_owned())),
            None => Ok(SignInResponse::of_page(outcome)),
        }
    }

    /// Servers name no error where they cannot use what they were sent, and nobody was signed in.
    fn silent_refusal(&self, callback: &Url, to: &Url) -> Option<&'static str> {
        // It was sealed for a program, and this one has not begun it, or no longer knows. With a profile that they
        // cannot use servers of Auth.js 5 lead there, too: they add "/signin" behind the query.
        if to.path() == callback.path() && to.query().is_some() {
            return Some("OAuthCallback");
        }
        // All others lead to the sign-in page then. A sign-in that is meant to end there looks the same: nobody has a
        // use for one, and whoever is told "signed in" believes it.
        let is_sign_in_page = to.path() == self.server().endpoint(&["signin"]).path();
        (is_sign_in_page && parameter(to, "error").is_none()).then_some("Callback")
    }
}

const NOT_BACK: &str = "the user did not come back from the browser in time: if they did sign in there, the server does not \
                        lead to this program; see `AuthBuilder::native_clients`";

fn leads_to_a_browser(provider: &ClientSafeProvider) -> bool {
    matches!(provider.kind.as_str(), "oauth" | "oidc")
}

fn no_such_provider(wanted: &str, providers: &[ClientSafeProvider]) -> ClientError {
    let known = named(providers);
    ClientError::unsupported(format!(
        "the server has no provider of OAuth or OpenID Connect with the id {wanted:?}; of those it has {known}"
    ))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, Response};

    use crate::client::{Client, ClientError, ClientErrorKind, NativeSignIn};

    async fn sign_in_where_it_leads_to(url: &'static str) -> ClientError {
        sign_in_at("acorn", url).await
    }

    async fn sign_in_at(provider: &str, url: &'static str) -> ClientError {
        let send = move |request: Request<Bytes>| async move {
            let body = match request.uri().path().rsplit('/').next() {
                Some("providers") => {
                    let provider = |id, kind| {
                        format!(
                            r#""{id}":{{"id":"{id}","name":"","type":"{kind}","signinUrl":"","callbackUrl":""}}"#
                        )
                    };
                    let all = [
                        provider("acorn", "oauth"),
                        provider("birch", "oidc"),
                        provider("credentials", "credentials"),
                    ];
                    format!("{{{}}}", all.join(","))
                }
                Some("csrf") => r#"{"csrfToken":"token"}"#.into(),
                _ => format!(r#"{{"url":"{url}"}}"#),
            };
            Ok(Response::new(Bytes::from(body)))
        };
        let client = Client::builder("http://localhost:3000").http_client(send).build().unwrap();
        let opened = client.sign_in_native(NativeSignIn::at(provider), |url| Err(url.into())).await;
        opened.unwrap_err()
    }

    #[tokio::test]
    async fn only_what_is_for_a_browser_is_opened() {
        let opened = sign_in_where_it_leads_to("https://acorn.example/authorize").await;
        assert_eq!(opened.kind(), ClientErrorKind::Browser);
        assert!(opened.to_string().ends_with("https://acorn.example/authorize"), "{opened}");
        for (url, kind) in [
            ("file:///bin/sh", ClientErrorKind::Shape),
            ("vscode://open?file=/etc/passwd", ClientErrorKind::Shape),
            ("javascript:alert(1)", ClientErrorKind::Shape),
            ("http://localhost:3000/api/auth/signin?csrf=true", ClientErrorKind::Csrf),
        ] {
            assert_eq!(sign_in_where_it_leads_to(url).await.kind(), kind, "{url}");
        }
    }
    #[tokio::test]
    async fn no_form_is_posted_for_providers_without_a_browser() {
        for id in ["credentials", "cedar"] {
            let error = sign_in_at(id, "https://acorn.example/authorize").await;
            assert_eq!(error.kind(), ClientErrorKind::Unsupported, "{id}");
            assert!(error.to_string().ends_with("of those it has acorn, birch"), "{error}");
        }
    }

    /// What a program is opened with may come from anywhere.
    #[tokio::test]
    async fn a_callback_is_all_that_is_asked_for() {
        let (asked, mut requests) = tokio::sync::mpsc::unbounded_channel();
        let send = move |request: Request<Bytes>| {
            asked.send(request.uri().path().to_owned()).unwrap();
            async move {
                let leads_on = Response::builder().status(302).header("location", "/");
                Ok(leads_on.body(Bytes::new()).unwrap())
            }
        };
        let client = Client::builder("https://app.example").http_client(send).build().unwrap();
        for url in [
            "my-app:x/callback/../../../admin/delete?id=1",
            "my-app:x/callback/acme/../../../../admin/delete?id=1",
            "my-app:x/callback/%2e%2e/signout",
            r"my-app://x/callback/..\..\..\admin\delete",
            r"my-app://x/callback/acme\..\..\signout",
            "https://app.example/api/auth/callback/acme/more",
            "https://app.example/api/auth/callback/",
            "my-app:x/callback/.",
        ] {
            let refused = client.complete_sign_in(url).await;
            assert_eq!(refused.map_err(|error| error.kind()), Err(ClientErrorKind::Unsupported), "{url}");
            assert!(requests.try_recv().is_err(), "{url}");
        }
        for (url, path) in [
            ("my-app://x/callback/acme?code=1&state=2", "/api/auth/callback/acme"),
            ("my-app:/elsewhere/callback/acme?code=1", "/api/auth/callback/acme"),
            ("https://app.example/api/auth/callback/a%20b?code=1", "/api/auth/callback/a%20b"),
        ] {
            client.complete_sign_in(url).await.unwrap();
            assert_eq!(requests.try_recv().unwrap(), path, "{url}");
        }
    }
}
