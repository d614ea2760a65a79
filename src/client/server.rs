//! Requests to the server's endpoints, with the cookies of the jar.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, LOCATION},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    ClientError, ClientErrorKind, CookieJar,
    jar::{Answering, Taken},
    session_cookie,
};
use crate::{
    clock::{Clock, Timestamp},
    dialect::{ClientRules, Dialect},
    http_client::{HttpClient, asked},
};

/// How the names of the cookies end whose values begin with the token.
const CSRF_COOKIE: &str = ".csrf-token";
/// How the name of the cookie ends that says which mail a visitor has asked for.
const ASKED_COOKIE: &str = ".email";
/// How often a cookie is replaced while a token is on its way, before something else must be wrong.
const MAX_REPLACED: usize = 5;
const RETURN_REDIRECT: HeaderName = HeaderName::from_static("x-auth-return-redirect");

/// Where the server is, how it is asked, and what is known of it.
pub(super) struct Server {
    /// The endpoints, without a slash at the end: `https://app.example/api/auth`.
    pub(super) base: Url,
    pub(super) http: Arc<dyn HttpClient>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) jar: CookieJar,
    pub(super) time_limit: Duration,
    /// Whether failures are told to servers that log them.
    pub(super) logs: bool,
    pub(super) dialect: KnownDialect,
}

/// The dialect that the server speaks: as it was set, or as its cookies show it.
#[derive(Debug)]
pub(super) struct KnownDialect {
    set: Option<Dialect>,
    found: Mutex<Option<Dialect>>,
}

/// What a form may be answered with.
pub(super) struct Outcome {
    pub(super) status: StatusCode,
    /// Where the browser is to go, if the server says so.
    pub(super) url: Option<String>,
}

/// The body of a request of Auth.js.
enum Content {
    Nothing,
    Form(String),
    Json(Value),
}

/// What a request may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing, but that the session may be renewed.
    Read,
    /// What the session says.
    Update,
    /// Who is signed in.
    Change,
}

impl Outcome {
    /// Whether there is a page, and nowhere to go.
    pub(super) fn is_page(&self) -> bool {
        self.url.is_none() && self.status == StatusCode::OK
    }

    /// Where the browser is led to, if that is a URL.
    pub(super) fn destination(&self) -> Option<Url> {
        Url::parse(self.url.as_deref()?).ok()
    }
}

impl KnownDialect {
    pub(super) fn new(set: Option<Dialect>) -> Self {
        Self { set, found: Mutex::default() }
    }

    fn get(&self) -> Option<Dialect> {
        self.set.or(*self.found())
    }

    fn found(&self) -> MutexGuard<'_, Option<Dialect>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.dialect.get()
    }

    pub(super) fn rules(&self) -> ClientRules {
        self.dialect().map_or(ClientRules::ANY, |dialect| dialect.rules().client)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// The URL of an endpoint, such as `signin/github`. The id of a provider is one segment of it.
    pub(super) fn endpoint(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    /// A URL that the server has named, which may be a path only.
    pub(super) fn resolve(&self, url: &str) -> String {
        self.base.join(url).map_or_else(|_| url.to_owned(), String::from)
    }

    /// The members that `GET` of an endpoint has; none where it answers `null`.
    pub(super) async fn get(&self, action: &str) -> Result<Map<String, Value>, ClientError> {
        let url = self.endpoint(&[action]);
        let answered = self.send(Method::GET, &url, Content::Nothing, Effect::Read).await;
        self.logged(&url, answered.and_then(|response| members(&url, &response))).await
    }

    /// The members that the session has; none for certain if nobody is signed in.
    pub(super) async fn session(&self) -> Result<Map<String, Value>, ClientError> {
        self.ask_for_session(Method::GET, Content::Nothing, Effect::Read).await
    }

    /// The token that every form has to carry (`docs/protocol.md` section 3).
    ///
    /// A server that is asked several things at once, and has not been asked before, gives each answer a token and a cookie.
    /// The last cookie stays, so who was given another token asks again.
    pub(super) async fn csrf_token(&self) -> Result<String, ClientError> {
        let mut replaced = 0;
        let token = loop {
            let turn = self.jar.turn();
            let token = self.given_csrf_token().await?;
            // Its cookie is left where somebody has signed in or out meanwhile.
            let is_kept = self.jar.turn() == turn && !self.jar.has_another(&self.base, CSRF_COOKIE, &token);
            if is_kept || replaced == MAX_REPLACED {
                break token;
            }
            replaced += 1;
        };
        *self.dialect.found() = self.shown_by_cookies(&token);
        Ok(token)
    }

    async fn given_csrf_token(&self) -> Result<String, ClientError> {
        let mut members = self.get("csrf").await?;
        match members.remove("csrfToken") {
            Some(Value::String(token)) => Ok(token),
            _ => Err(ClientError::shape(&place(&self.endpoint(&["csrf"])), "with a csrfToken")),
        }
    }

    /// The session after an update. None if the server has not changed it.
    pub(super) async fn post_update(&self, data: Option<Value>) -> Result<Map<String, Value>, ClientError> {
        let _updating = self.jar.updating().await;
        let mut body = json!({ "csrfToken": self.csrf_token().await? });
        if let Some(data) = data {
            body["data"] = data;
        }
        self.ask_for_session(Method::POST, Content::Json(body), Effect::Update).await
    }

    /// Posts a form, and asks for the answer in JSON.
    pub(super) async fn post(
        &self,
        url: &Url,
        fields: &[(String, String)],
        csrf_token: &str,
        callback_url: Option<&str>,
    ) -> Result<Outcome, ClientError> {
        let form = self.form(fields, csrf_token, callback_url);
        let response = self.send(Method::POST, url, Content::Form(form), Effect::Change).await?;
        let status = response.status();
        let members = match serde_json::from_slice::<Value>(response.body()) {
            Ok(Value::Object(members)) => members,
            _ if status.is_success() => return Err(ClientError::shape(&place(url), "with a JSON object")),
            _ => return Err(ClientError::of_status(&place(url), status)),
        };
        let to = members.get("url").and_then(Value::as_str).map(|url| self.resolve(url));
        // What refuses without saying where to go, such as a limit in front of the server, is no answer of Auth.js.
        if to.is_none() && !status.is_success() {
            return Err(ClientError::of_status(&place(url), status));
        }
        let outcome = Outcome { status, url: to };
        if self.refuses_token(&outcome) { Err(ClientError::token_refused(&place(url))) } else { Ok(outcome) }
    }

    /// Whether a form has led back to its page, or to an error, for want of a token that the cookie goes with
    /// (`docs/protocol.md` section 3).
    fn refuses_token(&self, outcome: &Outcome) -> bool {
        let Some(url) = outcome.destination() else { return false };
        let says = |name: &str, value: &str| {
            url.query_pairs().any(|(known, said)| (&*known, &*said) == (name, value))
        };
        let is_page = ["signin", "signout"].iter().any(|page| url.path() == self.endpoint(&[page]).path());
        is_page && says("csrf", "true") || says("error", "MissingCSRF")
    }

    /// Its text. A serializer cannot be held while a server is waited for: it cannot go to another thread.
    fn form(&self, fields: &[(String, String)], csrf_token: &str, callback_url: Option<&str>) -> String {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("csrfToken", csrf_token);
        if let Some(callback_url) = callback_url {
            form.append_pair("callbackUrl", callback_url);
        }
        if self.rules().json_field {
            form.append_pair("json", "true");
        }
        form.finish()
    }

    /// Follows a link to an endpoint as a browser does, except for where it leads on to, if it does.
    pub(super) async fn follow(&self, url: &Url) -> Result<Outcome, ClientError> {
        let response = self.send(Method::GET, url, Content::Nothing, Effect::Change).await?;
        let status = response.status();
        let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
        let to = location.map(|location| self.resolve(&String::from_utf8_lossy(location.as_bytes())));
        if to.is_none() && !status.is_success() {
            return Err(ClientError::of_status(&place(url), status));
        }
        Ok(Outcome { status, url: to })
    }

    /// Whether this visitor has asked for a mail that is still good, so that its link is no stranger's: servers of this
    /// crate note it where they ask first.
    pub(super) fn has_asked_for_mail(&self, callback: &Url) -> bool {
        self.jar.has(callback, ASKED_COOKIE, "")
    }

    /// Presses the button of the page at this URL that asks whether a link is meant
    /// ([`Email::confirm`](crate::Email::confirm)). Its form has the token alone.
    pub(super) async fn confirm(&self, url: &Url) -> Result<Outcome, ClientError> {
        let token = self.csrf_token().await?;
        self.post(url, &[], &token, None).await
    }

    /// A request of the application, to anything at the server's origin.
    pub(super) async fn fetch(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, ClientError> {
        let url = self.base.join(&request.uri().to_string()).ok();
        let Some(url) = url.filter(|url| url.origin() == self.base.origin()) else {
            return Err(ClientError::unsupported("a client asks its own server only: name a path of it"));
        };
        *request.uri_mut() =
            url.as_str().parse().map_err(|_| ClientError::unsupported("that is no URL that can be asked"))?;
        // It may renew the session. A sign-out that happens meanwhile counts more.
        self.exchange(&url, request, Effect::Read).await.map(|(response, _)| response)
    }

    async fn ask_for_session(
        &self,
        method: Method,
        content: Content,
        effect: Effect,
    ) -> Result<Map<String, Value>, ClientError> {
        let url = self.endpoint(&["session"]);
        let answered = self.answered_session(method, &url, content, effect).await;
        self.logged(&url, answered).await
    }

    async fn answered_session(
        &self,
        method: Method,
        url: &Url,
        content: Content,
        effect: Effect,
    ) -> Result<Map<String, Value>, ClientError> {
        let request = self.request(method, url, content)?;
        let (response, sent) = self.exchange(url, request, effect).await?;
        let members = members(url, &response)?;
        if members.is_empty() && session_cookie::is_left(self.dialect(), url, sent.as_ref(), &response) {
            return Err(ClientError::session_unknown(&place(url)));
        }
        Ok(members)
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        content: Content,
        effect: Effect,
    ) -> Result<Response<Bytes>, ClientError> {
        let request = self.request(method, url, content)?;
        self.exchange(url, request, effect).await.map(|(response, _)| response)
    }

    /// With the cookies of the jar there, and those of the response back. The former are answered, too.
    async fn exchange(
        &self,
        url: &Url,
        mut request: Request<Bytes>,
        effect: Effect,
    ) -> Result<(Response<Bytes>, Option<HeaderValue>), ClientError> {
        let (cookies, turn) = self.jar.header(url, self.now()).await;
        if let Some(cookies) = &cookies {
            request.headers_mut().insert(COOKIE, cookies.clone());
        }
        let answered = asked(&self.http, &*self.clock, self.time_limit, request).await;
        let response = answered.map_err(|error| ClientError::unavailable(&place(url), error))?;
        let answering = match effect {
            Effect::Change => Answering::Change,
            Effect::Update => Answering::Update(turn),
            Effect::Read => Answering::Read(turn),
        };
        let taken = self.jar.take(url, response.headers(), answering, self.now()).await;
        if effect == Effect::Update && taken == Taken::Left {
            return Err(ClientError::overtaken(&place(url)));
        }
        Ok((response, cookies))
    }

    fn request(&self, method: Method, url: &Url, content: Content) -> Result<Request<Bytes>, ClientError> {
        let (kind, body) = match content {
            Content::Nothing => (self.rules().types_gets.then_some("application/json"), Bytes::new()),
            Content::Form(form) => (Some("application/x-www-form-urlencoded"), form.into()),
            Content::Json(value) => (Some("application/json"), value.to_string().into()),
        };
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if kind == Some("application/x-www-form-urlencoded") && self.rules().return_header {
            headers.insert(RETURN_REDIRECT, HeaderValue::from_static("1"));
        }
        let request = Request::builder().method(method).uri(url.as_str()).body(body);
        let mut request =
            request.map_err(|_| ClientError::shape(&place(url), "at a URL that can be asked"))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Each dialect has names of its own for its cookies, unless the server was given others. Only that of the token
    /// counts: a site that has moved to another dialect leaves its older ones.
    fn shown_by_cookies(&self, csrf_token: &str) -> Option<Dialect> {
        let shown: Vec<_> = [Dialect::V4, Dialect::V5]
            .into_iter()
            .filter(|dialect| {
                let name = format!("{}{CSRF_COOKIE}", dialect.rules().cookie_stem);
                self.jar.has(&self.base, &name, csrf_token)
            })
            .collect();
        match shown[..] {
            [dialect] => Some(dialect),
            _ => None,
        }
    }

    /// Tells servers that want to know what the clients of npm tell them: that a request for JSON failed
    /// (`docs/protocol.md` section 15.5). One that gave no answer would have us wait for the next one, too.
    async fn logged<T>(&self, url: &Url, answered: Result<T, ClientError>) -> Result<T, ClientError> {
        let wants_logs = self.logs && self.dialect().is_some_and(|dialect| dialect.rules().serves_log);
        let error = match answered {
            Err(error) if wants_logs && error.kind() != ClientErrorKind::Unavailable => error,
            answered => return answered,
        };
        let form = Serializer::new(String::new())
            .append_pair("level", "error")
            .append_pair("code", "CLIENT_FETCH_ERROR")
            .append_pair("url", url.path())
            .append_pair("message", &error.to_string())
            .append_pair("client", "true")
            .finish();
        let url = self.endpoint(&["_log"]);
        if let Err(error) = self.send(Method::POST, &url, Content::Form(form), Effect::Read).await {
            tracing::debug!("the server was not told of a failure: {error}");
        }
        Err(error)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("base", &self.base.as_str())
            .field("dialect", &self.dialect())
            .finish_non_exhaustive()
    }
}

/// A JSON object, or none where it is `null`.
fn members(url: &Url, response: &Response<Bytes>) -> Result<Map<String, Value>, ClientError> {
    if !response.status().is_success() {
        return Err(ClientError::of_status(&place(url), response.status()));
    }
    match serde_json::from_slice(response.body()) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(ClientError::shape(&place(url), "with a JSON object")),
    }
}

/// A URL for people to read, without its query.
pub(super) fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, Response};

    use crate::client::{Client, ClientErrorKind};

    #[tokio::test]
    async fn only_the_own_server_is_asked() {
        let echo = |request: Request<Bytes>| async move {
            Ok(Response::new(Bytes::from(request.uri().to_string())))
        };
        let client = Client::builder("https://app.example/custom/auth").http_client(echo).build().unwrap();
        let fetch = async |url: &str| client.fetch(Request::get(url).body(Bytes::new()).unwrap()).await;
        for url in ["/me?a=%20b", "https://app.example/me?a=%20b", "https://APP.example:443/me?a=%20b"] {
            assert_eq!(fetch(url).await.unwrap().body(), "https://app.example/me?a=%20b", "{url}");
        }
        for url in [
            "https://other.example/me",
            "//other.example/me",
            "/\\other.example/me",
            "http://app.example/me",
            "https://app.example:8443/me",
            "https://app.example@other.example/me",
        ] {
            assert_eq!(fetch(url).await.unwrap_err().kind(), ClientErrorKind::Unsupported, "{url}");
        }
    }
}
