//! One who asks: sends a request with a session's cookie, and waits for the answer only so long.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Version, header};
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;

use crate::{
    answer::{self, Said},
    client,
    support::{Answer, ORIGIN},
};

/// What takes longer counts as never answered, however busy the machine is. The bound that answers are held to is
/// shorter.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// The token of a session, as the cookie has it.
pub type Token = String;

/// Whoever it is; the sessions are given with each request.
#[derive(Clone)]
pub struct Visitor {
    client: BoxCloneSyncService<Request<Full<Bytes>>, http::Response<hyper::body::Incoming>, String>,
    /// Its cookie, and what forms have to say.
    csrf: (String, String),
}

impl Visitor {
    pub async fn at(address: SocketAddr) -> Self {
        let client = client::client(address, Version::HTTP_11);
        let client = tower::ServiceBuilder::new().map_err(|error| format!("{error:?}")).service(client);
        let mut visitor = Self { client: BoxCloneSyncService::new(client), csrf: Default::default() };
        let answer = visitor.get("/api/auth/csrf", None).await.unwrap();
        let cookie = answer.cookie("next-auth.csrf-token").unwrap();
        let token = answer.json()["csrfToken"].as_str().unwrap().to_owned();
        visitor.csrf = (format!("{}={}", cookie.name(), cookie.value()), token);
        visitor
    }

    /// Whom a page takes a session for.
    pub async fn page(&self, session: &Token) -> Said {
        said(self.get("/", Some(session)).await, |answer| answer::of_page(answer, session))
    }

    /// Whom the clients of Auth.js are told.
    pub async fn session(&self, session: &Token) -> Said {
        said(self.get("/api/auth/session", Some(session)).await, |answer| answer::of_session(answer, session))
    }

    /// Begins a session.
    pub async fn sign_in(&self, name: &str) -> Said {
        let path = "/api/auth/callback/credentials";
        said(self.post(path, None, &[("name", name)]).await, answer::of_sign_in)
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &Token) -> Said {
        said(self.post("/api/auth/signout", Some(session), &[]).await, answer::of_sign_out)
    }

    async fn get(&self, path: &str, session: Option<&Token>) -> Result<Answer, String> {
        self.send(Method::GET, path, session, String::new()).await
    }

    async fn post(
        &self,
        path: &str,
        session: Option<&Token>,
        fields: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("csrfToken", &*self.csrf.1), ("json", "true")])
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, path, session, form).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        session: Option<&Token>,
        form: String,
    ) -> Result<Answer, String> {
        let session = session.map(|token| format!("; {}={token}", answer::COOKIE));
        let request = Request::builder()
            .method(method)
            .uri(format!("{ORIGIN}{path}"))
            .header(header::COOKIE, self.csrf.0.clone() + &session.unwrap_or_default())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form))
            .unwrap();
        let exchange = async {
            let response = tower::ServiceExt::oneshot(self.client.clone(), request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(GIVEN_UP, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {GIVEN_UP:?}")))
    }
}

fn said(answer: Result<Answer, String>, judge: impl FnOnce(&Answer) -> Said) -> Said {
    match answer {
        Ok(answer) => judge(&answer),
        Err(error) => Said::Nonsense(error),
    }
}
