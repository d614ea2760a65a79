//! Each example starts, says where it listens, and answers.

#![cfg(all(feature = "axum", feature = "tonic"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::{collections::BTreeMap, env, path::PathBuf, process::Stdio, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    Secret,
    codec::{Codec, JweGcm},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";

/// Where cargo puts the examples that it builds with the tests.
fn command(name: &str) -> Command {
    let tests = env::current_exe().unwrap();
    let program: PathBuf = tests.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(program.exists(), "{} was not built: run cargo test without --test", program.display());
    let mut command = Command::new(program);
    command.env_clear().stdout(Stdio::piped()).kill_on_drop(true);
    command
}

/// An example that ends with its test.
struct Example {
    url: String,
    jar: BTreeMap<String, String>,
    _child: Child,
}

impl Example {
    /// Starts one that prints its address.
    async fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = command(name).envs(variables.iter().copied()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = loop {
            let line = timeout(Duration::from_secs(30), lines.next_line()).await.expect(name).unwrap();
            let line = line.unwrap_or_else(|| panic!("{name} ended without an address"));
            if line.contains("http://") {
                break line;
            }
        };
        let rest = &line[line.find("http://").unwrap()..];
        let end = rest[7..].find(['/', ' ']).map_or(rest.len(), |at| at + 7);
        Self { url: rest[..end].to_owned(), jar: BTreeMap::new(), _child: child }
    }

    /// Starts one that signs people in. Its address is not known before, so it is reached through its own origin.
    async fn site(name: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (port, url) = (free.port().to_string(), format!("http://{free}"));
        Self::start(name, &[("AUTH_SECRET", SECRET), ("PORT", &port), ("AUTH_URL", &url)]).await
    }

    async fn send(&mut self, method: Method, path: &str, form: &[(&str, &str)]) -> Response<String> {
        let cookies: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "))
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie::Cookie::parse(line.to_str().unwrap().to_owned()).unwrap();
            self.jar.insert(cookie.name().to_owned(), cookie.value().to_owned());
        }
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&mut self, path: &str) -> (u16, String) {
        let response = self.send(Method::GET, path, &[]).await;
        (response.status().as_u16(), response.into_body())
    }

    async fn sign_in(&mut self, username: &str) {
        let csrf: serde_json::Value = serde_json::from_str(&self.get("/api/auth/csrf").await.1).unwrap();
        let csrf = csrf["csrfToken"].as_str().unwrap().to_owned();
        let form = [("csrfToken", &*csrf), ("username", username), ("password", "hunter2")];
        let response = self.send(Method::POST, "/api/auth/callback/credentials", &form).await;
        assert_eq!(response.status(), 302, "{}", response.body());
    }
}

#[tokio::test]
async fn axum() {
    let mut site = Example::site("axum").await;
    assert_eq!(site.get("/api/me").await.0, 401);
    site.sign_in("jsmith").await;
    assert_eq!(site.get("/me").await, (200, "you are J Smith".to_owned()));
}

#[tokio::test]
async fn hyper() {
    let mut site = Example::site("hyper").await;
    assert!(site.get("/").await.1.contains("nobody"));
    site.sign_in("jsmith").await;
    assert!(site.get("/").await.1.contains("you are signed in"));
}

#[tokio::test]
async fn roles() {
    let mut site = Example::site("roles").await;
    let statuses = async |site: &mut Example| {
        let mut statuses = Vec::new();
        for path in ["/", "/team", "/team/admin", "/team/admin/audit", "//team/admin"] {
            statuses.push(site.get(path).await.0);
        }
        statuses
    };
    assert_eq!(statuses(&mut site).await, [200, 401, 401, 401, 401]);
    site.sign_in("jsmith").await;
    assert_eq!(statuses(&mut site).await, [200, 200, 403, 403, 403]);
    site.sign_in("admin").await;
    assert_eq!(statuses(&mut site).await, [200, 200, 200, 200, 404]);
    assert_eq!(site.send(Method::POST, "/team/admin/purge", &[]).await.body(), "purged");
}

#[tokio::test]
async fn typed_session() {
    let mut site = Example::site("typed_session").await;
    site.sign_in("jsmith").await;
    assert_eq!(site.get("/me").await, (200, "member 1, J Smith, of support".to_owned()));
    assert_eq!(site.get("/permissions").await.1, r#"{"sub":"1","scopes":["read","write"]}"#);
}

#[tokio::test]
async fn verifier() {
    let mut service = Example::start("verifier", &[("AUTH_SECRET", SECRET), ("PORT", "0")]).await;
    assert_eq!(service.get("/me").await.0, 401);
    let claims = br#"{"sub":"1","name":"J Smith","iat":1768478400,"exp":4000000000}"#;
    let token = JweGcm::new(&Secret::new(SECRET), "").encode(claims).unwrap();
    service.jar.insert("next-auth.session-token".to_owned(), token);
    let (status, body) = service.get("/me").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""name":"J Smith""#), "{body}");
    assert_eq!(service.get("/reports").await.0, 403);
}

#[tokio::test]
async fn beside_nextjs() {
    let mut service = Example::start("beside_nextjs", &[("AUTH_SECRET", SECRET), ("PORT", "0")]).await;
    assert_eq!(service.get("/api/greeting").await, (200, "welcome".to_owned()));
    assert_eq!(service.get("/api/me").await.0, 401);
}

#[tokio::test]
async fn demo() {
    let mut site = Example::start("demo", &[("PORT", "0")]).await;
    site.sign_in("admin").await;
    assert!(site.get("/api/auth/session").await.1.contains("admin"));
}

#[tokio::test]
async fn tonic() {
    let output = timeout(Duration::from_secs(60), command("tonic").output()).await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for line in [
        "without a session: Unauthenticated",
        "hello to you, J Smith",
        "3. good day",
        "chat: 1: two",
        "PermissionDenied",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
