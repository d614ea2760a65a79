//! What an action may know of the request.

use std::{borrow::Cow, sync::Arc};

use bytes::Buf;
use http::{HeaderValue, StatusCode, request::Parts};
use http_body::Body;
use percent_encoding::utf8_percent_encode;

use super::fields::{Fields, read_body};
use crate::{
    auth::{Auth, CsrfCheck, Site, Visit},
    cookie::{CookieHeaders, CookieNames, SetCookie, URI_COMPONENT},
    dialect::{Failure, PageQuery},
    error::{BoxError, ErrorCode},
    head::Head,
    origin::Origin,
    reply::Reply,
    session::{Found, LiveSession},
};

/// One request to an endpoint, read and checked.
pub(super) struct Cx {
    pub(super) auth: Auth,
    pub(super) site: Arc<Site>,
    pub(super) parts: Parts,
    pub(super) visit: Visit,
    pub(super) origin: Origin,
    /// Origin and base path: what the URLs of the endpoints begin with.
    pub(super) base: String,
    pub(super) query: Fields,
    pub(super) body: Fields,
    pub(super) csrf: CsrfCheck,
    /// Where the browser wants to go: checked, and absolute.
    pub(super) callback_url: String,
    /// The value of the callback-url cookie that came with the request.
    callback_cookie: Option<String>,
}

impl Cx {
    pub(super) async fn read<B>(auth: &Auth, site: Arc<Site>, parts: Parts, body: B) -> Result<Self, Reply>
    where
        B: Body + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<BoxError>,
    {
        let origin = auth.origin(Head::from(&parts)).ok_or_else(|| {
            tracing::warn!("refused: {}", Auth::UNKNOWN_ORIGIN);
            Reply::json(StatusCode::BAD_REQUEST, r#"{"error":"UntrustedHost"}"#).bare()
        })?;
        let origin = origin.into_owned();
        let cookies = CookieHeaders::of(&parts.headers);
        let visit = Visit::new(auth, Head::from(&parts), origin.is_https(), auth.now());
        let query = Fields::form(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let body = read_body(&parts.headers, body, site.body_limit).await?;
        let names = &auth.settings.strategy.profile(visit.https).names;
        let csrf_cookie = cookies.find(&names.csrf_token.name);
        let csrf = site.csrf.check(csrf_cookie.as_deref()).map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            Reply::json(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"Configuration"}"#).bare()
        })?;
        let callback_cookie = cookies.find(&names.callback_url.name).map(Cow::into_owned);
        let asked =
            body.text("callbackUrl").or_else(|| query.text("callbackUrl")).filter(|url| !url.is_empty());
        let callback_url = match asked.or(callback_cookie.as_deref().filter(|url| !url.is_empty())) {
            Some(url) => auth.settings.callbacks.redirect(url, &origin).await,
            None => origin.as_str().to_owned(),
        };
        let base = format!("{}{}", origin.as_str(), site.base_path);
        Ok(Self {
            auth: auth.clone(),
            site,
            visit,
            base,
            query,
            body,
            csrf,
            callback_url,
            callback_cookie,
            parts,
            origin,
        })
    }

    pub(super) fn names(&self) -> &CookieNames {
        &self.auth.settings.strategy.profile(self.visit.https).names
    }

    /// The session of the request's cookies.
    pub(super) async fn session(&self) -> Found {
        let (strategy, Visit { https, now, .. }) = (&self.auth.settings.strategy, &self.visit);
        match strategy.read_cookies(&CookieHeaders::of(&self.parts.headers), *https, *now) {
            Found::Later(later) => strategy.settle(later, *https, *now).await,
            found => found,
        }
    }

    /// Every session that the request's cookies open: whoever sends them can end them. `None` if that cannot be known.
    pub(super) async fn all_sessions(&self) -> Option<Vec<LiveSession>> {
        let (strategy, Visit { https, now, .. }) = (&self.auth.settings.strategy, &self.visit);
        let carried = strategy.carried(&CookieHeaders::of(&self.parts.headers), *https);
        let tokens: Vec<_> = carried.tokens().map(Cow::into_owned).collect();
        strategy.read_all(&tokens, *https, *now).await
    }

    /// Whether the form carries this browser's CSRF token.
    pub(super) fn is_verified(&self) -> bool {
        self.csrf.is_verified(self.body.text("csrfToken"))
    }

    /// A script asked for JSON in place of redirects: by a field (v3, v4) or by a header (v5). Either is
    /// understood in every dialect.
    fn is_json_mode(&self) -> bool {
        self.body.text("json") == Some("true") || self.parts.headers.contains_key("x-auth-return-redirect")
    }

    /// Whether the answer is JSON, and the cookies that it carries whatever the action was.
    pub(super) fn finish(self) -> (bool, Vec<SetCookie>) {
        let names = self.names();
        let csrf = self.csrf.cookie.as_deref().map(|value| names.csrf_token.set(value));
        let moved = self.callback_cookie.as_deref() != Some(&self.callback_url);
        let callback = moved.then(|| names.callback_url.set(&self.callback_url));
        (self.is_json_mode(), csrf.into_iter().chain(callback).collect())
    }

    /// Answers that something failed, where the dialect shows it (`docs/protocol.md` section 13.1).
    ///
    /// `status` is what a script of v3 and v4 is told.
    pub(super) fn fail(&self, error: ErrorCode, provider: Option<&str>, status: StatusCode) -> Reply {
        match self.auth.settings.rules.failure {
            Failure::ErrorPage => Reply::redirect(status, self.error_page_url(&error, provider)),
            Failure::PageOfCode if error.is_public() => {
                Reply::redirect(status, self.url_of_code(&error)).bare()
            }
            Failure::PageOfCode => {
                Reply::redirect(status, self.url_of_code(&ErrorCode::Configuration)).bare()
            }
        }
    }

    /// Answers a form without a verified CSRF token. `page` is the action whose page has a fresh one.
    pub(super) fn fail_csrf(&self, page: &str) -> Reply {
        tracing::warn!("a form without a verified CSRF token was refused");
        match self.auth.settings.rules.failure {
            Failure::ErrorPage => Reply::redirect(StatusCode::OK, format!("{}/{page}?csrf=true", self.base)),
            Failure::PageOfCode => self.fail(ErrorCode::MissingCsrf, None, StatusCode::OK),
        }
    }

    fn error_page_url(&self, error: &ErrorCode, provider: Option<&str>) -> String {
        let query = match (error, provider) {
            // v3 and v4 have no second parameter: a code of the application's own takes the place of the first.
            (ErrorCode::CredentialsSignin { code }, _) if code != "credentials" => self.encode(code),
            (ErrorCode::CredentialsSignin { .. }, Some(id)) => format!("{}&provider={id}", error.as_str()),
            _ => error.as_str().to_owned(),
        };
        format!("{}/error?error={query}", self.base)
    }

    fn url_of_code(&self, error: &ErrorCode) -> String {
        let pages = &self.site.pages;
        let (custom, action) =
            if error.is_shown_at_sign_in() { (&pages.sign_in, "signin") } else { (&pages.error, "error") };
        let page = match custom {
            Some(page) => self.absolute(page),
            None => format!("{}/{action}", self.base),
        };
        match error {
            ErrorCode::CredentialsSignin { code } => {
                format!("{page}?error={}&code={}", error.as_str(), self.encode(code))
            }
            _ => format!("{page}?error={}", error.as_str()),
        }
    }

    /// A path of this site with its origin in front; a URL as it is. Scripts can parse the result.
    pub(super) fn absolute(&self, page: &str) -> String {
        if page.starts_with('/') { format!("{}{page}", self.origin.as_str()) } else { page.to_owned() }
    }

    /// `page` with one more parameter in its query.
    pub(super) fn with_parameter(&self, page: &str, name: &str, value: &str) -> String {
        let separator = if page.contains('?') { '&' } else { '?' };
        format!("{page}{separator}{name}={}", self.encode(value))
    }

    fn encode(&self, value: &str) -> String {
        match self.auth.settings.rules.page_query {
            PageQuery::Component => utf8_percent_encode(value, URI_COMPONENT).to_string(),
            PageQuery::Form => form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        }
    }

    /// A built-in page as an answer.
    pub(super) fn page(&self, status: StatusCode, html: String) -> Reply {
        let policy: HeaderValue = self.site.style.policy().clone();
        Reply::page(status, html, policy)
    }
}
