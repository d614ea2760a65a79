//! `signIn` (`docs/protocol.md` section 15.2).

use std::{borrow::Cow, fmt};

use http::StatusCode;
use url::Url;

use super::{
    Client, ClientError, ClientSafeProvider,
    jar::Announcer,
    server::{Outcome, Server},
};

/// What [`Client::sign_in`] is given beside the provider: what is typed into its form, and where to go afterwards.
///
/// ```
/// use portcullis::client::SignInOptions;
///
/// let options = SignInOptions::new().field("email", "jsmith@example.com").callback_url("/dashboard").redirect(false);
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct SignInOptions {
    /// In the order in which they were named, which is that of the form.
    members: Vec<Member>,
}

#[derive(Clone)]
enum Member {
    Field(String, String),
    CallbackUrl(String),
    RedirectTo(String),
    Redirect(bool),
}

const CALLBACK_URL: &str = "callbackUrl";
const REDIRECT: &str = "redirect";

/// Where a sign-in has led.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SignIn {
    /// A browser would go there now: to the provider, to a page of the server that goes on or says what is wrong, or
    /// to where the sign-in was to lead.
    Redirect(String),
    /// With `redirect: false`: what the server has answered.
    Response(SignInResponse),
}

/// What `signIn` of npm resolves to with `redirect: false`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignInResponse {
    /// Why nobody was signed in: one of the codes of Auth.js, such as `CredentialsSignin`.
    pub error: Option<String>,
    /// What a credentials callback says beside that (v5).
    pub code: Option<String>,
    /// The status of the answer. v5 answers 200 to wrong credentials too.
    pub status: StatusCode,
    /// Whether that is a status of success; it does not say that somebody is signed in.
    pub ok: bool,
    /// Where to go, unless there is an error.
    pub url: Option<String>,
}

impl SignInOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field of the provider's form, such as `username` or `email`. Of two with one name the last counts.
    pub fn field(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Member::Field(name.into(), value.into()))
    }

    /// Where to go afterwards: a path, or a URL that the server's `redirect` callback allows.
    pub fn callback_url(self, url: impl Into<String>) -> Self {
        self.with(Member::CallbackUrl(url.into()))
    }

    /// The same, as v5 calls it; it counts before `callback_url`.
    pub fn redirect_to(self, url: impl Into<String>) -> Self {
        self.with(Member::RedirectTo(url.into()))
    }

    /// Whether a browser would leave the page: yes unless set. With `false` the result is a
    /// [`Response`](SignIn::Response) for credentials and links by mail, and in v5 for every provider.
    pub fn redirect(self, redirect: bool) -> Self {
        self.with(Member::Redirect(redirect))
    }

    /// In the place of the one with the same name, as in an object of JavaScript.
    fn with(mut self, member: Member) -> Self {
        match self.members.iter_mut().find(|known| known.name() == member.name()) {
            Some(known) => *known = member,
            None => self.members.push(member),
        }
        self
    }

    fn leaves(&self) -> bool {
        let named = self.members.iter().find_map(|member| match member {
            Member::Redirect(redirect) => Some(*redirect),
            _ => None,
        });
        named.unwrap_or(true)
    }

    /// Where to go afterwards, if it was said.
    fn goal(&self) -> Option<&str> {
        let named = |wanted: fn(&Member) -> Option<&String>| self.members.iter().find_map(wanted);
        let redirect_to = named(|member| match member {
            Member::RedirectTo(url) => Some(url),
            _ => None,
        });
        let callback_url = named(|member| match member {
            Member::CallbackUrl(url) => Some(url),
            _ => None,
        });
        redirect_to.or(callback_url).map(String::as_str)
    }

    /// The fields of the form. `sends_options`: with the options themselves, as v3 and v4 have it, of which the server
    /// ignores those that it does not know; `callbackUrl` is the `goal`, by whichever name that was said.
    fn into_fields(self, sends_options: bool, goal: &str) -> Vec<(String, String)> {
        let fields = self.members.into_iter().filter_map(|member| match member {
            Member::Field(name, value) => Some((name, value)),
            Member::CallbackUrl(_) if sends_options => Some((CALLBACK_URL.to_owned(), goal.to_owned())),
            Member::Redirect(redirect) if sends_options => Some((REDIRECT.to_owned(), redirect.to_string())),
            _ => None,
        });
        fields.collect()
    }
}

impl Member {
    fn name(&self) -> &str {
        match self {
            Self::Field(name, _) => name,
            Self::CallbackUrl(_) => CALLBACK_URL,
            Self::RedirectTo(_) => "redirectTo",
            Self::Redirect(_) => REDIRECT,
        }
    }
}

/// Names only: the values are passwords.
impl fmt::Debug for SignInOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members.iter().map(Member::name)).finish()
    }
}

impl SignIn {
    /// Why nobody was signed in: one of the codes of Auth.js, such as `CredentialsSignin`. In a
    /// [`Redirect`](Self::Redirect) it is a parameter of the URL, for the page that a browser would show.
    ///
    /// ```
    /// use portcullis::client::SignIn;
    ///
    /// let outcome = SignIn::Redirect("https://app.example/api/auth/signin?error=CredentialsSignin".to_owned());
    /// assert_eq!(outcome.error().as_deref(), Some("CredentialsSignin"));
    /// ```
    pub fn error(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Redirect(url) => parameter(&Url::parse(url).ok()?, "error").map(Cow::Owned),
            Self::Response(response) => response.error.as_deref().map(Cow::Borrowed),
        }
    }

    /// Where to go.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Redirect(url) => Some(url),
            Self::Response(response) => response.url.as_deref(),
        }
    }
}

impl SignInResponse {
    /// The answer, in which an error is a parameter of the URL that the browser is sent to.
    pub(super) fn of(outcome: Outcome) -> Self {
        let url = outcome.destination();
        let error = url.as_ref().and_then(|url| parameter(url, "error"));
        Self {
            code: url.as_ref().filter(|_| error.is_some()).and_then(|url| parameter(url, "code")),
            url: if error.is_some() { None } else { outcome.url },
            error,
            status: outcome.status,
            ok: outcome.status.is_success(),
        }
    }

    /// Likewise for a page, which leads on by its status.
    pub(super) fn of_page(outcome: Outcome) -> Self {
        let ok = outcome.status.is_success() || outcome.status.is_redirection();
        Self { ok, ..Self::of(outcome) }
    }

    /// The server would not begin.
    pub(super) fn refused(error: String) -> Self {
        Self { error: Some(error), code: None, status: StatusCode::OK, ok: true, url: None }
    }
}

pub(super) async fn sign_in<U>(
    client: &Client<U>,
    provider: Option<&str>,
    options: SignInOptions,
    authorization_params: &[(&str, &str)],
    by: Announcer,
) -> Result<SignIn, ClientError> {
    let providers = client.get_providers().await?;
    match providers.iter().find(|known| Some(known.id.as_str()) == provider) {
        Some(provider) => sign_in_at(client, provider, options, authorization_params, by).await,
        None => {
            if let Some(provider) = provider {
                tracing::warn!(provider, "there is no such provider: the server has {}", named(&providers));
            }
            let goal = options.goal().unwrap_or(&client.inner.callback_url);
            Ok(SignIn::Redirect(sign_in_page(client.server(), &[(CALLBACK_URL, goal)])))
        }
    }
}

/// At a provider that the server has.
pub(super) async fn sign_in_at<U>(
    client: &Client<U>,
    provider: &ClientSafeProvider,
    options: SignInOptions,
    authorization_params: &[(&str, &str)],
    by: Announcer,
) -> Result<SignIn, ClientError> {
    let server = client.server();
    let goal = options.goal().unwrap_or(&client.inner.callback_url).to_owned();
    let token = server.csrf_token().await?; // Shows the dialect, too.
    let rules = server.rules();
    let leaves = options.leaves() || !(rules.stays_anywhere || is_answered_at_once(provider));
    let fields = options.into_fields(rules.sends_options, &goal);
    let has_goal = fields.iter().any(|(name, _)| name == CALLBACK_URL);
    let mut url = server.endpoint(&[begins_at(provider), &provider.id]);
    if !authorization_params.is_empty() {
        url.query_pairs_mut().extend_pairs(authorization_params);
    }
    let outcome = server.post(&url, &fields, &token, (!has_goal).then_some(&goal)).await?;
    server.jar.announce(by);
    Ok(if leaves {
        SignIn::Redirect(outcome.url.unwrap_or_else(|| server.resolve(&goal)))
    } else {
        SignIn::Response(SignInResponse::of(outcome))
    })
}

/// Their ids, for people to read.
pub(super) fn named<'p>(providers: impl IntoIterator<Item = &'p ClientSafeProvider>) -> String {
    let ids: Vec<_> = providers.into_iter().map(|provider| provider.id.as_str()).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

/// The sign-in page of the server.
pub(super) fn sign_in_page(server: &Server, parameters: &[(&str, &str)]) -> String {
    let mut url = server.endpoint(&["signin"]);
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}

pub(super) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The endpoint that its form is posted to.
fn begins_at(provider: &ClientSafeProvider) -> &'static str {
    if provider.kind == "credentials" { "callback" } else { "signin" }
}

/// Whether there is something to say before a browser goes elsewhere.
fn is_answered_at_once(provider: &ClientSafeProvider) -> bool {
    matches!(provider.kind.as_str(), "credentials" | "email")
}
