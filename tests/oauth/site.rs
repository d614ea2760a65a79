//! A site with providers, and how a browser signs in there.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, Version, header};
use http_body_util::Full;
use portcullis::{Auth, AuthBuilder, Dialect, OAuth, OriginPolicy, Secret, mail::Mailbox, store::Store};

use crate::{
    client::client,
    provider::{CLIENT, CLIENT_SECRET, Params, Provider, pairs},
    support::{Answer, Browser, ORIGIN, SECRET, whoami},
    time::Time,
};

/// The usual site, to be changed by the test.
pub fn builder(time: &Time) -> AuthBuilder {
    Auth::builder(Secret::new(SECRET)).origin(OriginPolicy::fixed(ORIGIN).unwrap()).clock(time.clone())
}

/// The provider as an application configures it.
pub fn oidc(id: &'static str, provider: &Provider) -> OAuth {
    OAuth::oidc(id, &provider.issuer, CLIENT, CLIENT_SECRET)
}

/// A site where one can sign in at `acme`, in a dialect.
pub fn site(dialect: Dialect, time: &Time, provider: &Provider) -> Auth {
    builder(time).dialect(dialect).provider(oidc("acme", provider)).build().unwrap()
}

/// The same with a store.
pub fn site_with_store(
    store: &Arc<dyn Store>,
    time: &Time,
    providers: &[(&'static str, &Provider)],
) -> AuthBuilder {
    let builder = builder(time).store(Arc::clone(store));
    providers.iter().fold(builder, |builder, (id, provider)| builder.provider(oidc(id, provider)))
}

pub fn browser(auth: &Auth) -> Browser {
    Browser::new(whoami(auth.clone()))
}

/// Presses the button: answers where the browser is sent, or what went wrong.
pub async fn begin(browser: &mut Browser, id: &str) -> Result<String, Answer> {
    begin_with(browser, id, "").await
}

/// Likewise, with a query behind the path.
pub async fn begin_with(browser: &mut Browser, id: &str, query: &str) -> Result<String, Answer> {
    begin_for(browser, id, query, "/after").await
}

/// Likewise, to go somewhere else afterwards.
pub async fn begin_for(
    browser: &mut Browser,
    id: &str,
    query: &str,
    callback_url: &str,
) -> Result<String, Answer> {
    let token = browser.csrf_token().await;
    let fields = [("csrfToken", &*token), ("callbackUrl", callback_url)];
    let answer = browser.post(&format!("/api/auth/signin/{id}{query}"), &fields).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    let location = answer.header("location").unwrap().to_owned();
    if location.starts_with(ORIGIN) { Err(answer) } else { Ok(location) }
}

/// Follows the browser to the provider, whose user says yes: where it sends the browser back to, below the site's origin.
pub async fn at_provider(url: &str) -> String {
    let (host, _) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let client = client::<Full<Bytes>>(host.parse().unwrap(), Version::HTTP_11);
    let answer = client.request(Request::get(url).body(Full::default()).unwrap()).await.unwrap();
    let location = answer.headers()[header::LOCATION].to_str().unwrap();
    let redirect_uri = param(url, "redirect_uri");
    let (origin, _) = redirect_uri.split_once("/api/auth/").unwrap();
    location.strip_prefix(origin).unwrap().to_owned()
}

/// The whole way there and back.
pub async fn sign_in(browser: &mut Browser, id: &str) -> Answer {
    match begin(browser, id).await {
        Ok(url) => browser.get(&at_provider(&url).await).await,
        Err(answer) => answer,
    }
}

/// The parameters of a URL.
pub fn params(url: &str) -> Params {
    pairs(url.split_once('?').map_or("", |(_, query)| query).as_bytes())
}

pub fn param(url: &str, name: &str) -> String {
    params(url).into_iter().find(|(known, _)| known == name).unwrap().1
}

/// `url` with other parameters.
pub fn with_params(url: &str, change: impl Fn(Params) -> Params) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(change(params(url))).finish();
    format!("{}?{query}", url.split_once('?').map_or(url, |(path, _)| path))
}

/// Where a fault leads.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The browser could not be sent to the provider.
    Begin,
    /// What came back is no answer to what was asked.
    Callback,
    /// What the provider says when it is asked signs nobody in.
    Exchange,
    /// The provider said no.
    Provider,
}

impl Fault {
    fn location(self, origin: &str, dialect: Dialect) -> String {
        let v5 = dialect == Dialect::V5;
        let page = match self {
            Self::Begin if !v5 => "error?error=OAuthSignin",
            Self::Exchange if dialect == Dialect::V3 => "error?error=Callback",
            Self::Callback | Self::Exchange if !v5 => "error?error=OAuthCallback",
            Self::Provider if !v5 => "error?error=Callback",
            Self::Begin | Self::Callback | Self::Exchange => "error?error=Configuration",
            Self::Provider => "signin?error=OAuthCallbackError",
        };
        format!("{origin}/api/auth/{page}")
    }

    /// The browser is told the code of the dialect, and nothing else; nobody is signed in.
    #[track_caller]
    pub fn is_told(self, case: &str, dialect: Dialect, answer: &Answer) {
        self.is_told_at(ORIGIN, case, dialect, answer);
    }

    /// Likewise, at a site with another origin.
    #[track_caller]
    pub fn is_told_at(self, origin: &str, case: &str, dialect: Dialect, answer: &Answer) {
        assert_eq!(answer.status, StatusCode::FOUND, "{dialect}: {case}");
        assert_eq!(answer.header("location"), Some(&*self.location(origin, dialect)), "{dialect}: {case}");
        assert!(!is_session(answer), "{dialect}: {case}: a session began");
    }
}

/// Whether an answer begins a session.
pub fn is_session(answer: &Answer) -> bool {
    answer
        .cookies()
        .iter()
        .any(|cookie| cookie.name().contains("session-token") && !cookie.value().is_empty())
}

/// The browser is where it wanted to go, with a session.
#[track_caller]
pub fn is_signed_in(case: &str, answer: &Answer) {
    assert_eq!(answer.header("location"), Some(&*format!("{ORIGIN}/after")), "{case}");
    assert!(is_session(answer), "{case}: no session");
}

/// Asks for a link by mail, and opens it.
pub async fn sign_in_by_mail(browser: &mut Browser, mailbox: &Mailbox, address: &str) -> Answer {
    let token = browser.csrf_token().await;
    browser.post("/api/auth/signin/email", &[("csrfToken", &*token), ("email", address)]).await;
    let mail = mailbox.take().remove(0);
    let url = mail.text.lines().find(|line| line.contains("/api/auth/callback/")).unwrap();
    browser.get(url.strip_prefix(ORIGIN).unwrap()).await
}
