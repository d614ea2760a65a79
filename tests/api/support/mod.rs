//! What the tests share: a clock that stands where it is put, a browser with a jar, a service to protect.

pub mod findings;
mod golden;
pub mod log;
pub mod vectors;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use portcullis::{
    Auth, AuthBuilder, AuthLayer, BoxError, Clock, Credentials, Field, OriginPolicy, Rejection, Secret,
    Submitted, User, get_server_session,
};
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};

/// A good secret.
pub const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";
/// Where the tests begin: 15 January 2026, noon.
pub const NOW: i64 = 1_768_478_400;
pub const ORIGIN: &str = "http://localhost:3000";
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Time that passes when a test says so.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds)))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs() as i64, Ordering::SeqCst);
    }

    /// A clock may be set back, too.
    pub fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst) as u64)
    }

    /// Ends at once: a callback that is not ready immediately has used up its time.
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

/// `jsmith` with `hunter2` is user 1, `admin` user 2, `boom` fails, `panic` panics, `hang` never ends,
/// `locked` is told so.
pub fn credentials() -> Credentials {
    Credentials::new(check)
        .field(Field::text("username", "Username"))
        .field(Field::password("password", "Password"))
}

async fn check(form: Submitted) -> Result<Option<User>, BoxError> {
    match (form.get("username"), form.get("password")) {
        (Some("jsmith"), Some("hunter2")) => {
            Ok(Some(User::new("1").name("J Smith").email("jsmith@example.com").with("role", "user")))
        }
        (Some("admin"), Some("hunter2")) => {
            Ok(Some(User::new("2").name("Admin").email("admin@example.com").with("role", "admin")))
        }
        (Some("boom"), _) => Err("internal failure".into()),
        (Some("panic"), _) => panic!("authorize panics"),
        (Some("hang"), _) => std::future::pending().await,
        (Some("locked"), _) => Err(Rejection::new("account_locked").into()),
        _ => Ok(None),
    }
}

/// The usual configuration, to be changed by the test.
pub fn builder(clock: &ManualClock) -> AuthBuilder {
    Auth::builder(Secret::new(SECRET))
        .origin(OriginPolicy::fixed(ORIGIN).unwrap())
        .clock(clock.clone())
        .provider(credentials())
}

pub type App = BoxCloneSyncService<Request<Full<Bytes>>, Response<Bytes>, Infallible>;

/// Any service as an [`App`], with its body read to the end.
pub fn app<S, B>(service: S) -> App
where
    S: tower::Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Debug,
{
    BoxCloneSyncService::new(service.and_then(async |response: Response<B>| {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Ok(Response::from_parts(parts, bytes))
    }))
}

/// The layer in front of a service that says who is there: the subject, `nobody`, or the error's code.
pub fn whoami(auth: Auth) -> App {
    app(AuthLayer::new(auth).layer(service_fn(async |request: Request<Full<Bytes>>| {
        let text = match get_server_session(&request) {
            Ok(Some(session)) => session.subject().to_owned(),
            Ok(None) => "nobody".to_owned(),
            Err(error) => error.code().to_owned(),
        };
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    })))
}

/// A browser without scripts: a jar, and what it sends.
#[derive(Clone)]
pub struct Browser {
    pub app: App,
    pub jar: BTreeMap<String, String>,
    /// Headers that go with each request.
    pub headers: HeaderMap,
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Browser {
    pub fn new(app: App) -> Self {
        Self { app, jar: BTreeMap::new(), headers: HeaderMap::new() }
    }

    pub fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.jar.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub async fn get(&mut self, uri: &str) -> Answer {
        self.send(Method::GET, uri, None, Bytes::new()).await
    }

    /// Posts a form.
    pub async fn post(&mut self, uri: &str, fields: &[(&str, &str)]) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, uri, Some("application/x-www-form-urlencoded"), form.into()).await
    }

    pub async fn send(
        &mut self,
        method: Method,
        uri: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body)).unwrap();
        *request.headers_mut() = self.headers.clone();
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        if !self.jar.is_empty() {
            let cookies: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        self.request(request).await
    }

    /// Sends a request as it is; the jar only listens.
    pub async fn request(&mut self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        for cookie in answer.cookies() {
            if cookie.max_age() == Some(cookie::time::Duration::ZERO) {
                self.jar.remove(cookie.name());
            } else {
                self.jar.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
        answer
    }

    pub async fn csrf_token(&mut self) -> String {
        self.get("/api/auth/csrf").await.json()["csrfToken"].as_str().unwrap().to_owned()
    }

    /// Signs in as the clients of v3 and v4 do, and answers what came back.
    pub async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        let token = self.csrf_token().await;
        let fields =
            [("csrfToken", &*token), ("username", username), ("password", password), ("json", "true")];
        self.post("/api/auth/callback/credentials", &fields).await
    }

    pub async fn sign_out(&mut self) -> Answer {
        let token = self.csrf_token().await;
        self.post("/api/auth/signout", &[("csrfToken", &token), ("json", "true")]).await
    }

    /// `GET /session`.
    pub async fn session(&mut self) -> Value {
        self.get("/api/auth/session").await.json()
    }

    /// What [`whoami`] says.
    pub async fn who(&mut self) -> String {
        self.get("/").await.text()
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> Vec<cookie::Cookie<'static>> {
        let lines =
            self.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned());
        lines.map(|line| cookie::Cookie::parse(line).unwrap()).collect()
    }

    pub fn cookie(&self, name: &str) -> Option<cookie::Cookie<'static>> {
        self.cookies().into_iter().find(|cookie| cookie.name() == name)
    }
}
