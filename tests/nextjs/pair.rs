//! A Next.js application and what stands beside it, and how they are asked.

use std::{collections::BTreeMap, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::Dialect;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    service::{Service, site_like, verifier},
    site::Setting,
    support::{self, Answer, Browser, SECRET},
};

pub const HTTP: &str = "http://localhost:3000";
pub const HTTPS: &str = "https://app.example";

pub type Jar = BTreeMap<String, String>;

/// A Next.js application and what stands beside it.
pub struct Pair {
    pub setting: Setting,
    pub next: SocketAddr,
    pub ours: Service,
    pub verifier: Service,
}

impl Pair {
    pub async fn of(setting: Setting) -> Option<Self> {
        let next = setting.site()?;
        let ours = Service::start(site_like(setting)).await;
        let verifier = Service::start(verifier(setting.secrets)).await;
        Some(Self { setting, next, ours, verifier })
    }

    /// Both generations under http and under https.
    pub async fn all() -> Vec<Self> {
        let mut pairs = Vec::new();
        for dialect in [Dialect::V4, Dialect::V5] {
            for origin in [HTTP, HTTPS] {
                pairs.extend(Self::of(Setting { dialect, origin, secrets: &[SECRET] }).await);
            }
        }
        pairs
    }

    /// Where people sign in.
    pub fn sides(&self) -> [SocketAddr; 2] {
        [self.next, self.ours.http]
    }

    pub fn cookie(&self) -> String {
        let stem = if self.setting.dialect == Dialect::V5 { "authjs" } else { "next-auth" };
        let prefix = if self.setting.origin == HTTPS { "__Secure-" } else { "" };
        format!("{prefix}{stem}.session-token")
    }

    /// The names of the session cookies in a jar.
    pub fn pieces(&self, jar: &Jar) -> Vec<String> {
        jar.keys().filter(|name| name.starts_with(&self.cookie())).cloned().collect()
    }

    /// The token in a jar.
    pub fn token(&self, jar: &Jar) -> String {
        self.pieces(jar).iter().map(|name| &*jar[name]).collect()
    }

    /// Everyone knows who this is, by session, token, guard and gRPC.
    pub async fn all_see(&self, jar: &Jar, expected: &Value) {
        for (name, address) in
            [("next", self.next), ("ours", self.ours.http), ("verifier", self.verifier.http)]
        {
            let (seen, context) = (see(address, jar).await, format!("{name} of {:?}", self.setting));
            assert_eq!(seen.user, *expected, "{context}");
            assert_eq!(seen.token, claims_of(expected), "{context}");
            assert_eq!(seen.protected, !expected.is_null(), "{context}");
            assert_eq!(seen.admin, expected["role"] == "admin", "{context}");
        }
        for service in [self.ours, self.verifier] {
            let user = without_nulls(service.grpc_user(&cookies(jar)).await);
            assert_eq!(user, *expected, "gRPC of {:?}", self.setting);
        }
    }
}

/// What a side makes of the cookies in a jar.
pub struct Seen {
    pub user: Value,
    pub token: Value,
    protected: bool,
    admin: bool,
}

pub async fn see(address: SocketAddr, jar: &Jar) -> Seen {
    let mut browser = browser(address, jar);
    let user = without_nulls(browser.get("/api/session").await.json()["user"].take());
    let mut token = browser.get("/api/token").await.json();
    for varying in ["iat", "exp", "jti"] {
        token.as_object_mut().map(|claims| claims.shift_remove(varying));
    }
    Seen {
        user,
        token: without_nulls(token),
        protected: passes(&browser.get("/protected").await),
        admin: passes(&browser.get("/admin").await),
    }
}

/// Whether a guard let the request through.
pub fn passes(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::OK => true,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => false,
        other => panic!("{other}: {}", answer.text()),
    }
}

/// A member that is null is as good as none.
pub fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// The claims of a token whose session shows this user.
pub fn claims_of(user: &Value) -> Value {
    let mut claims = user.clone();
    if let Some(id) = claims.as_object_mut().and_then(|user| user.shift_remove("id")) {
        claims["sub"] = id;
    }
    claims
}

pub fn person(username: &str) -> Value {
    match username {
        "jsmith" => json!({ "id": "1", "name": "J Smith", "email": "jsmith@example.com", "role": "user" }),
        "admin" => {
            json!({ "id": "2", "name": "Zoë 日本語 🦀", "email": "admin@example.com", "role": "admin" })
        }
        "big" => json!({ "id": "3", "name": "Big", "email": "big@example.com", "role": "user",
            "note": "n€".repeat(1500) }),
        _ => Value::Null,
    }
}

/// A browser at one side, over real connections, with these cookies.
pub fn browser(address: SocketAddr, jar: &Jar) -> Browser {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let remote = client.map_request(move |mut request: Request<Full<Bytes>>| {
        let path = request.uri().path_and_query().unwrap().clone();
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority(address.to_string())
            .path_and_query(path)
            .build()
            .unwrap();
        request
    });
    let mut browser = Browser::new(support::app(remote.map_err(|error| panic!("{error}"))));
    browser.jar = jar.clone();
    browser
}

/// The jar as headers, for what is no browser.
pub fn cookies(jar: &Jar) -> HeaderMap {
    let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pairs.join("; ")).unwrap())])
}

pub fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap())])
}

pub async fn signed_in(address: SocketAddr, username: &str) -> Jar {
    let mut browser = browser(address, &Jar::new());
    browser.sign_in(username, "hunter2").await;
    browser.jar
}

/// What `update(data)` of the npm clients sends.
pub async fn updated(address: SocketAddr, jar: &Jar, data: Value) -> Jar {
    let mut browser = browser(address, jar);
    let body = json!({ "csrfToken": browser.csrf_token().await, "data": data }).to_string();
    let answer = browser.send(Method::POST, "/api/auth/session", Some("application/json"), body.into()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    browser.jar
}
