//! A server that answers what it is told to, and remembers what it was asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use portcullis::http_client::{HttpClient, HttpError};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// The endpoints of a server, by what follows the base path; `POST x` is what a post to `x` is answered.
#[derive(Clone, Default)]
pub struct Replies(Arc<Shared>);

#[derive(Default)]
struct Shared {
    replies: Mutex<HashMap<String, Reply>>,
    asked: watch::Sender<Vec<Asked>>,
    held: watch::Sender<Option<String>>,
}

#[derive(Clone, Default)]
pub struct Reply {
    status: u16,
    body: String,
    location: Option<String>,
    cookies: Vec<String>,
    is_down: bool,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self { status: 200, body: body.to_string(), ..Self::default() }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::json(&json!({})) }
    }

    /// No answer.
    pub fn down() -> Self {
        Self { is_down: true, ..Self::default() }
    }

    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub fn with_body(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }

    pub fn with_location(self, location: &str) -> Self {
        Self { location: Some(location.to_owned()), ..self }
    }

    pub fn with_cookie(mut self, cookie: &str) -> Self {
        self.cookies.push(cookie.to_owned());
        self
    }

    pub fn cookies(&self) -> &[String] {
        &self.cookies
    }

    pub fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap()
    }

    fn response(&self) -> Result<Response<Bytes>, HttpError> {
        if self.is_down {
            return Err(HttpError::unavailable("it is down"));
        }
        let mut response = Response::builder().status(self.status);
        if let Some(location) = &self.location {
            response = response.header(header::LOCATION, location);
        }
        for cookie in &self.cookies {
            response = response.header(header::SET_COOKIE, cookie);
        }
        Ok(response.body(Bytes::from(self.body.clone())).unwrap())
    }
}

impl Replies {
    /// One that has providers and gives tokens, and at which nobody is signed in.
    pub fn new() -> Self {
        let provider = |id: &str, kind: &str| {
            let url = |action: &str| format!("http://localhost:3000/api/auth/{action}/{id}");
            json!({
                "id": id, "name": id, "type": kind,
                "signinUrl": url("signin"), "callbackUrl": url("callback"),
            })
        };
        let url = Reply::json(&json!({ "url": "http://localhost:3000/" }));
        let providers = json!({
            "acme": provider("acme", "oauth"),
            "credentials": provider("credentials", "credentials"),
        });
        Self::default()
            .with("session", Reply::json(&json!({})))
            .with("csrf", Reply::json(&json!({ "csrfToken": "token" })))
            .with("providers", Reply::json(&providers))
            .with("POST callback/credentials", url.clone())
            .with("POST signin/acme", url.clone())
            .with("POST signout", url)
    }

    pub fn with(self, endpoint: &str, reply: Reply) -> Self {
        self.set(endpoint, reply);
        self
    }

    pub fn set(&self, endpoint: &str, reply: Reply) {
        self.0.replies.lock().unwrap().insert(endpoint.to_owned(), reply);
    }

    /// What is asked of this endpoint from now on waits for [`release`](Self::release). What it is answered is decided
    /// when it is asked.
    pub fn hold(&self, endpoint: &str) {
        self.0.held.send_replace(Some(endpoint.to_owned()));
    }

    pub fn release(&self) {
        self.0.held.send_replace(None);
    }

    pub fn http(&self) -> impl HttpClient + use<> {
        let replies = self.clone();
        move |request: Request<Bytes>| {
            let replies = replies.clone();
            async move { replies.answer(request).await }
        }
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let asked = Asked { method: parts.method, uri: parts.uri, headers: parts.headers, body };
        let endpoint = asked.endpoint();
        let reply = self.0.replies.lock().unwrap().get(&endpoint).cloned().unwrap_or(Reply::status(404));
        assert!(self.0.asked.borrow().len() < 1000, "it is asked for ever");
        self.0.asked.send_modify(|all| all.push(asked));
        let mut held = self.0.held.subscribe();
        held.wait_for(|held| held.as_ref() != Some(&endpoint)).await.unwrap();
        reply.response()
    }

    /// What it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.0.asked.borrow().clone()
    }

    /// How often it was asked for the session.
    pub fn reads(&self) -> usize {
        self.0.asked.borrow().iter().filter(|asked| asked.endpoint() == "session").count()
    }

    /// What it was asked last; there is something.
    pub fn last(&self) -> Asked {
        self.asked().pop().unwrap()
    }

    /// Waits until it was asked for the session so often.
    pub async fn until_reads(&self, reads: usize) {
        let mut asked = self.0.asked.subscribe();
        let enough = asked.wait_for(|_| self.reads() >= reads);
        timeout(SAFETY_NET, enough).await.expect("the session was not read").unwrap();
    }
}

impl Asked {
    /// As in [`Replies::with`].
    pub fn endpoint(&self) -> String {
        let path = self.uri.path().strip_prefix("/api/auth/").unwrap_or(self.uri.path());
        if self.method == Method::GET { path.to_owned() } else { format!("{} {path}", self.method) }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> &str {
        self.header("cookie").unwrap_or_default()
    }

    /// The fields of its form, in order.
    pub fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// How long a test waits for what has to come before it fails.
pub const SAFETY_NET: Duration = Duration::from_secs(60);

/// Waits until nobody has anything to do any more. The runtime's own time stands still while somebody has
/// (`start_paused`), so this waits for no longer than that takes.
pub async fn idle() {
    sleep(Duration::from_millis(1)).await;
}
