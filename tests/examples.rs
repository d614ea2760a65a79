//! Each example starts, says where it listens, and answers.

#![cfg(all(feature = "axum", feature = "tonic"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[cfg(any(feature = "postgres", feature = "redis"))]
#[allow(dead_code, reason = "shared with other tests, which use all of it")]
#[path = "services/server.rs"]
mod server;

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
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
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
    output: Lines<BufReader<ChildStdout>>,
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
        Self { url: rest[..end].to_owned(), jar: BTreeMap::new(), output: lines, _child: child }
    }

    /// The next line that it prints with this in it.
    async fn prints(&mut self, part: &str) -> String {
        loop {
            let line = timeout(Duration::from_secs(30), self.output.next_line()).await.expect(part).unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended without {part}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Starts one that signs people in. Its address is not known before, so it is reached through its own origin.
    async fn site(name: &str) -> Self {
        Self::site_with(name, &[]).await
    }

    /// Likewise, with these variables, too.
    async fn site_with(name: &str, variables: &[(&str, &str)]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (port, url) = (free.port().to_string(), format!("http://{free}"));
        let own = [("AUTH_SECRET", SECRET), ("PORT", &*port), ("AUTH_URL", &*url)];
        Self::start(name, &[&own, variables].concat()).await
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
        let csrf = self.csrf().await;
        let form = [("csrfToken", &*csrf), ("username", username), ("password", "hunter2")];
        let response = self.send(Method::POST, "/api/auth/callback/credentials", &form).await;
        assert_eq!(response.status(), 302, "{}", response.body());
    }

    /// Signs in at a provider that the example brings: as the first whom it offers.
    #[cfg(feature = "oauth")]
    async fn sign_in_at(&mut self, provider: &str) {
        let csrf = self.csrf().await;
        let response =
            self.send(Method::POST, &format!("/api/auth/signin/{provider}"), &[("csrfToken", &csrf)]).await;
        let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let response = self.at_provider(&location).await;
        let page = response.body();
        assert_eq!(response.status(), 200, "{page}");
        let link = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let path = link.strip_prefix(&self.url).unwrap_or_else(|| panic!("{link} leads away")).to_owned();
        let response = self.send(Method::GET, &path, &[]).await;
        assert_eq!(response.headers()[header::LOCATION], self.url);
    }

    /// Opens a page of a provider's, where the browser has no cookies.
    #[cfg(feature = "oauth")]
    async fn at_provider(&mut self, location: &str) -> Response<String> {
        let host = location.strip_prefix("http://").unwrap_or_else(|| panic!("{location} leads nowhere"));
        let (start, path) = location.split_at("http://".len() + host.find('/').unwrap());
        let url = std::mem::replace(&mut self.url, start.to_owned());
        let jar = std::mem::take(&mut self.jar);
        let response = self.send(Method::GET, path, &[]).await;
        (self.url, self.jar) = (url, jar);
        response
    }

    async fn csrf(&mut self) -> String {
        let csrf: serde_json::Value = serde_json::from_str(&self.get("/api/auth/csrf").await.1).unwrap();
        csrf["csrfToken"].as_str().unwrap().to_owned()
    }

    /// Goes on in a browser that has no cookies; answers those of the one that it was.
    fn in_another_browser(&mut self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.jar)
    }
}

/// The lines of an example that ends by itself.
#[cfg(feature = "client")]
async fn lines(command: &mut Command) -> Vec<String> {
    let output =
        timeout(Duration::from_secs(60), command.stderr(Stdio::piped()).output()).await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// How an example that cannot go on says so.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "client"))]
async fn refusal(command: &mut Command) -> String {
    let output =
        timeout(Duration::from_secs(30), command.stderr(Stdio::piped()).output()).await.unwrap().unwrap();
    assert!(!output.status.success(), "{command:?} had nothing to say");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder that is gone with its test.
#[cfg(any(feature = "sqlite", feature = "client"))]
struct Folder(PathBuf);

#[cfg(any(feature = "sqlite", feature = "client"))]
impl Folder {
    fn new() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique());
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    #[cfg(feature = "sqlite")]
    fn database(&self) -> String {
        format!("sqlite://{}/auth.db", self.0.display())
    }
}

#[cfg(any(feature = "sqlite", feature = "client"))]
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A name that nobody else has.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "client"))]
fn unique() -> String {
    format!("e{}", uuid::Uuid::new_v4().simple())
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
async fn email() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut site = Example::start("email", &[("PORT", &free)]).await;
    assert!(site.get("/").await.1.contains("nobody"));
    for with_code in [false, true] {
        site.in_another_browser();
        let csrf = site.csrf().await;
        let form = [("csrfToken", &*csrf), ("email", "pat@example.com")];
        assert_eq!(site.send(Method::POST, "/api/auth/signin/email", &form).await.status(), 302);
        let link = site.prints("/api/auth/callback/email?").await[site.url.len()..].to_owned();
        let code = site.prints("code").await.split(' ').next_back().unwrap().to_owned();
        if with_code {
            let page = site.get("/api/auth/verify-request?provider=email&type=email").await.1;
            assert!(page.contains("one-time-code"), "{page}");
            let form = [("csrfToken", &*csrf), ("code", &*code)];
            assert_eq!(site.send(Method::POST, "/api/auth/callback/email", &form).await.status(), 302);
        } else {
            assert!(site.get(&link).await.1.contains("pat@example.com"));
            assert!(site.get("/").await.1.contains("nobody"), "it asks first");
            assert_eq!(site.send(Method::POST, &link, &[("csrfToken", &csrf)]).await.status(), 302);
        }
        assert!(site.get("/").await.1.contains("you are pat@example.com"));
    }
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

/// The lines of the example client, without the time at which the session ends, and without where the site is.
#[cfg(feature = "client")]
async fn client_lines(arguments: &[&str]) -> Vec<String> {
    let lines = lines(command("client").args(arguments)).await;
    let known = lines.iter().map(|line| {
        let line = line.split_once(" until 20").map_or(&**line, |(start, _)| start);
        line.split_once(" http://").map_or(line, |(start, _)| start).to_owned()
    });
    known.collect()
}

#[cfg(feature = "client")]
#[tokio::test]
async fn client() {
    let whole = [
        "nobody is signed in",
        "signed in as J Smith",
        "after the update: John Smith",
        "signed out; a browser would go to",
    ];
    assert_eq!(client_lines(&[]).await, whole, "with a site of its own");
    for dialect in ["v4", "v5"] {
        let site = Example::start("demo", &[("PORT", "0"), ("AUTH_COMPAT", dialect)]).await;
        assert_eq!(client_lines(&[&site.url]).await, whole, "{dialect}");

        let folder = Folder::new();
        let file = folder.0.join("cookies.json").display().to_string();
        let kept = [&*site.url, "--keep", &file];
        let stays = format!("stays signed in, by the cookies in {file}");
        assert_eq!(client_lines(&kept).await, [&whole[..3], &[&*stays]].concat());
        let again = ["still signed in as John Smith", "after the update: John Smith", whole[3]];
        assert_eq!(client_lines(&kept).await, again);
        assert_eq!(client_lines(&kept).await[0], whole[0], "it had signed out");

        let text = refusal(command("client").arg(&site.url).env("PASSWORD", "hunter3")).await;
        assert!(text.contains("not signed in: CredentialsSignin"), "{text}");
        let text = refusal(command("client").args([&*site.url, "--at", "github"])).await;
        assert!(text.contains("no provider of OAuth"), "{text}");
    }
    let text = refusal(command("client").arg("http://127.0.0.1:1")).await;
    assert!(text.contains("/api/auth/session gave no answer"), "{text}");
}

#[cfg(feature = "client")]
#[tokio::test]
async fn session_provider() {
    let demo = Example::start("demo", &[("PORT", "0")]).await;
    for url in [None, Some(&demo.url)] {
        let printed = [
            "loading",
            "unauthenticated",
            "- the other client signs in",
            "authenticated: J Smith",
            "- the other client asks for another name",
            "authenticated: John Smith",
            "- the other client signs out",
            "unauthenticated",
        ];
        assert_eq!(lines(command("session_provider").args(url)).await, printed, "{url:?}");
    }
}

#[cfg(feature = "oauth")]
#[tokio::test]
async fn oauth() {
    let mut site = Example::start("oauth", &[("PORT", "0")]).await;
    assert!(site.get("/").await.1.contains("You are nobody."));
    for provider in ["acorn", "birch", "cedar"] {
        site.sign_in_at(provider).await;
        assert!(site.get("/").await.1.contains("You are Alice."));
        let csrf = site.csrf().await;
        let response = site.send(Method::POST, "/api/auth/signout", &[("csrfToken", &csrf)]).await;
        let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        assert!(site.get("/").await.1.contains("You are nobody."));
        let back = site.at_provider(&location).await;
        assert_eq!(back.headers()[header::LOCATION], site.url, "{location}");
        let line = site.prints("has signed out at").await;
        assert!(line.contains("Alice") && line.to_lowercase().ends_with(provider), "{line}");
    }
}

#[cfg(feature = "oauth")]
#[tokio::test]
async fn provider_tokens() {
    let mut site = Example::start("provider_tokens", &[("PORT", "0")]).await;
    site.sign_in_at("acorn").await;
    let (_, first) = site.get("/").await;
    assert!(first.contains("Alice@acorn.example") && first.contains("good until"), "{first}");
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite() {
    let folder = Folder::new();
    let database = folder.database();
    let variables = [("PORT", "0"), ("DATABASE_URL", &*database)];
    let mut site = Example::start("sqlite", &variables).await;
    assert_eq!(site.get("/sessions").await.0, 401);
    for _ in 0..3 {
        site.in_another_browser();
        site.sign_in("jsmith").await;
    }
    let (status, page) = site.get("/sessions").await;
    assert_eq!(
        (status, page.matches("<li>").count(), page.matches("this one").count()),
        (200, 3, 1),
        "{page}"
    );

    let handle = page.split_once("name=handle value=\"").unwrap().1.split_once('"').unwrap().0;
    let other_site = Request::post(format!("{}/sessions/end", site.url))
        .header(header::COOKIE, site.jar.iter().map(|(n, v)| format!("{n}={v}; ")).collect::<String>())
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(format!("handle={handle}"))))
        .unwrap();
    let refused = Client::builder(TokioExecutor::new()).build_http().request(other_site).await.unwrap();
    assert_eq!(refused.status(), 403, "a form of another site ends nothing");
    for (handle, left) in [("of-nobody", 3), (handle, 2)] {
        let response = site.send(Method::POST, "/sessions/end", &[("handle", handle)]).await;
        assert_eq!(response.status(), 303);
        assert_eq!(site.get("/sessions").await.1.matches("<li>").count(), left);
    }

    let first = site.in_another_browser();
    site.sign_in("jsmith").await;
    assert_eq!(site.send(Method::POST, "/sessions/end-others", &[]).await.status(), 303);
    assert_eq!(site.get("/sessions").await.1.matches("<li>").count(), 1);
    let last = std::mem::replace(&mut site.jar, first);
    assert_eq!(site.get("/sessions").await.0, 401, "it was ended elsewhere");

    drop(site);
    let mut site = Example::start("sqlite", &variables).await;
    site.jar = last;
    assert_eq!(site.get("/sessions").await.0, 200, "sessions outlive the program");
    let port = site.url.rsplit_once(':').unwrap().1.to_owned();
    let text = refusal(command("sqlite").env("PORT", "0").env("DATABASE_URL", "sqlite://?mode=rw")).await;
    assert!(text.contains("DATABASE_URL: ") && text.contains("write sqlite://auth.db"), "{text}");
    let text = refusal(command("sqlite").env("PORT", &port).env("DATABASE_URL", &database)).await;
    assert!(text.contains("set PORT to another one"), "{text}");
}

/// As the documentation of `@auth/pg-adapter` has them.
#[cfg(feature = "postgres")]
const AUTH_JS: &str = r#"
create table verification_token (identifier text not null, expires timestamptz not null, token text not null,
  primary key (identifier, token));
create table accounts (id serial primary key, "userId" integer not null, type varchar(255) not null,
  provider varchar(255) not null, "providerAccountId" varchar(255) not null, refresh_token text,
  access_token text, expires_at bigint, id_token text, scope text, session_state text, token_type text);
create table sessions (id serial primary key, "userId" integer not null, expires timestamptz not null,
  "sessionToken" varchar(255) not null);
create table users (id serial primary key, name varchar(255), email varchar(255), "emailVerified" timestamptz,
  image text);
insert into users (name, email) values ('N Ode', 'node@example.com');
insert into sessions ("userId", expires, "sessionToken") values (1, now() + interval '1 day',
  'd3b07384-d113-4ec2-a5d6-c5e1f6a8b9c0');
"#;

/// What Node has put into the cookie.
#[cfg(feature = "postgres")]
const OF_NODE: &str = "d3b07384-d113-4ec2-a5d6-c5e1f6a8b9c0";

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres() {
    let secret = [("AUTH_SECRET", SECRET), ("AUTH_URL", "http://127.0.0.1:3000")];
    let text = refusal(command("postgres").envs(secret)).await;
    assert!(text.contains("DATABASE_URL is not set"), "{text}");
    let Some(server) = server::given("TEST_POSTGRES_URL", "the example postgres") else { return };
    let schema = unique();
    let joint = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{joint}options[search_path]={schema}");
    let pool = sqlx::PgPool::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create schema {schema}"))).execute(&pool).await.unwrap();
    let tables = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::raw_sql(AUTH_JS).execute(&tables).await.unwrap();

    let mut site = Example::site_with("postgres", &[("DATABASE_URL", &url)]).await;
    site.jar.insert("authjs.session-token".to_owned(), OF_NODE.to_owned());
    assert_eq!(site.get("/me").await, (200, "you are N Ode".to_owned()));
    let mut jars = Vec::new();
    for _ in 0..2 {
        jars.push(site.in_another_browser());
        site.sign_in("jsmith").await;
    }
    assert_eq!(site.get("/me").await, (200, "you are J Smith".to_owned()));
    let listed = async |site: &mut Example| site.get("/sessions").await.1.matches("handle").count();
    assert_eq!(listed(&mut site).await, 2);
    assert_eq!(site.send(Method::DELETE, "/sessions", &[]).await.status(), 200);
    assert_eq!(listed(&mut site).await, 1);

    // Node would find the one that is left, and those of others are as they were.
    let left: Vec<String> = sqlx::query_scalar(r#"select "sessionToken" from sessions order by id"#)
        .fetch_all(&tables)
        .await
        .unwrap();
    assert_eq!(left, [OF_NODE, &*site.jar["authjs.session-token"]]);
    site.jar = jars.remove(1);
    assert_eq!(site.get("/me").await.0, 401, "it was ended elsewhere");
    let drop = format!("drop schema {schema} cascade");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&pool).await.unwrap();
}

#[cfg(all(feature = "redis", feature = "sqlite"))]
#[tokio::test]
async fn redis() {
    use portcullis::store::{SessionStore, SqliteStore, UserStore};

    let secret = [("AUTH_SECRET", SECRET), ("AUTH_URL", "http://127.0.0.1:3000")];
    let text = refusal(command("redis").envs(secret)).await;
    assert!(text.contains("REDIS_URL is not set"), "{text}");
    let Some(server) = server::given("TEST_REDIS_URL", "the example redis") else { return };
    let folder = Folder::new();
    let database = folder.database();
    let mut site = Example::site_with("redis", &[("REDIS_URL", &server), ("DATABASE_URL", &database)]).await;
    assert_eq!(site.get("/cart").await.0, 401);
    site.sign_in("jsmith").await;
    assert_eq!(site.get("/cart").await.1, "0 in the cart");
    for items in 1..=2 {
        let response = site.send(Method::POST, "/cart/add", &[]).await;
        assert_eq!(*response.body(), format!("{items} in the cart now"));
    }
    assert_eq!(site.get("/cart").await.1, "2 in the cart");

    let first = site.in_another_browser();
    site.sign_in("jsmith").await;
    assert_eq!(site.get("/cart").await.1, "0 in the cart", "it is kept with the session");
    assert_eq!(site.get("/sessions").await.1, "you are signed in 2 times");
    assert_eq!(site.send(Method::DELETE, "/sessions", &[]).await.status(), 200);
    let second = std::mem::replace(&mut site.jar, first);
    assert_eq!(site.get("/cart").await.0, 401, "it was ended elsewhere");

    site.jar = second;
    let users = SqliteStore::connect(&database).await.unwrap();
    let user = users.user_by_email("jsmith@example.com").await.unwrap().expect("the user is in SQLite");
    assert!(users.sessions_of(&user.id).await.unwrap().is_empty(), "and the sessions are not");
    let csrf = site.csrf().await;
    assert_eq!(site.send(Method::POST, "/api/auth/signout", &[("csrfToken", &csrf)]).await.status(), 302);
    assert_eq!(site.get("/cart").await.0, 401);
}

#[cfg(feature = "conformance")]
#[tokio::test]
async fn custom_store() {
    let output = command("custom_store").arg("--check").output();
    let output = timeout(Duration::from_secs(60), output).await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let (passed, of) = text.split_once(" of ").unwrap();
    assert_eq!(passed, of.split_once(' ').unwrap().0, "{text}");

    let mut site = Example::site("custom_store").await;
    assert_eq!(site.get("/members").await.0, 401);
    site.sign_in("jsmith").await;
    site.sign_in("jsmith").await;
    assert_eq!(site.get("/members").await, (200, "1 J Smith\n".to_owned()), "one member, however often");
}
