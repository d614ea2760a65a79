//! Cookies: which are kept, which are sent where (RFC 6265), and how they outlive a program.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    path::PathBuf,
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use portcullis::{
    BoxError, Dialect,
    client::{
        Client, ClientBuilder, ClientErrorKind, CookieJar, JarFile, JarStorage, SessionProvider,
        SessionStatus, SignInOptions, SignOutOptions,
    },
};
use proptest::prelude::*;
use serde_json::json;
use tokio::{sync::Mutex as AsyncMutex, time::timeout};
use tracing::Level;

use crate::{
    replies::{Replies, Reply, idle},
    support::{ORIGIN, log::Log},
    time::Time,
};

const SITE: &str = "https://app.example";
/// What is saved of a jar in which nothing lasts.
const EMPTY: &str = r#"{"turn":0,"cookies":[]}"#;
const LASTING: &str = "session=canary-1; Path=/; Max-Age=3600; HttpOnly";

/// A visitor of one server, or of several.
struct Visitor {
    replies: Replies,
    time: Time,
    jar: CookieJar,
}

impl Visitor {
    fn new() -> Self {
        Self::with(CookieJar::new())
    }

    fn with(jar: CookieJar) -> Self {
        Self { replies: Replies::new(), time: Time::at_noon(), jar }
    }

    fn client(&self, url: &str) -> ClientBuilder {
        let client = Client::builder(url).dialect(Dialect::V4).jar(self.jar.clone());
        client.clock(self.time.clone()).http_client(self.replies.http())
    }

    /// Is given cookies by the server at this URL, whose path is the base path.
    async fn given(&self, url: &str, cookies: &[&str]) {
        let reply = Reply::json(&json!({}));
        let reply = cookies.iter().fold(reply, |reply, cookie| reply.with_cookie(cookie));
        for endpoint in ["session", "/other/session", "/api/session"] {
            self.replies.set(endpoint, reply.clone());
        }
        self.client(url).build().unwrap().get_session().await.unwrap();
        for endpoint in ["session", "/other/session", "/api/session"] {
            self.replies.set(endpoint, Reply::json(&json!({})));
        }
    }

    /// Signs in at our server, which gives this cookie.
    async fn sign_in(&self, cookie: &str) {
        let reply = Reply::json(&json!({ "url": "http://localhost:3000/" })).with_cookie(cookie);
        self.replies.set("POST callback/credentials", reply);
        let options = SignInOptions::new().redirect(false);
        let _ = self.client(ORIGIN).build().unwrap().sign_in("credentials", options, &[]).await.unwrap();
    }

    /// The cookies that the server at this URL is sent.
    async fn sends(&self, url: &str) -> String {
        // A server that says "nobody" and leaves the session's cookie is an error.
        let _ = self.client(url).build().unwrap().get_session().await;
        self.replies.last().cookies().to_owned()
    }
}

#[tokio::test]
async fn cookies_go_where_they_belong() {
    for (given_by, cookie, sent_to, is_sent) in [
        // Domains (sections 5.1.3 and 5.3)
        (SITE, "a=1", SITE, true),
        (SITE, "a=1", "https://APP.example", true),
        (SITE, "a=1", "https://sub.app.example", false),
        (SITE, "a=1; Domain=", "https://sub.app.example", false),
        (SITE, "a=1; Domain=app.example", "https://sub.app.example", true),
        (SITE, "a=1; Domain=.App.Example", "https://sub.app.example", true),
        (SITE, "a=1; Domain=app.example", "https://xapp.example", false),
        (SITE, "a=1; Domain=app.example", "https://other.example", false),
        (SITE, "a=1; Domain=sub.app.example", "https://sub.app.example", false),
        (SITE, "a=1; Domain=other.example", "https://other.example", false),
        ("https://sub.app.example", "a=1; Domain=app.example", SITE, true),
        ("http://127.0.0.1:3000", "a=1; Domain=0.0.1", "http://127.0.0.1:3000", false),
        // A port is no border (section 8.5), nor is a scheme without `Secure`.
        ("http://localhost:3000", "a=1", "http://localhost:4000", true),
        ("https://localhost", "a=1", "http://localhost:4000", true),
        // Paths (section 5.1.4)
        (SITE, "a=1", "https://app.example/other", false),
        (SITE, "a=1; Path=relative", "https://app.example/other", false),
        (SITE, "a=1; Path=/", "https://app.example/other", true),
        (SITE, "a=1; Path=/api", SITE, true),
        (SITE, "a=1; Path=/api/", SITE, true),
        (SITE, "a=1; Path=/api/auth/session", SITE, true),
        (SITE, "a=1; Path=/api/au", SITE, false),
        (SITE, "a=1; Path=/other", "https://app.example/other", true),
        (SITE, "a=1; Path=/other", SITE, false),
        // This machine is as safe as https.
        ("http://localhost:3000", "a=1; Secure", "http://localhost:3000", true),
        ("http://127.0.0.1:3000", "a=1; Secure", "http://127.0.0.1:3000", true),
        (SITE, "a=1; Secure", SITE, true),
        // What names promise (RFC 6265bis section 4.1.3)
        (SITE, "__Host-a=1; Secure; Path=/", SITE, true),
        (SITE, "__Host-a=1; Path=/", SITE, false),
        (SITE, "__Host-a=1; Secure", SITE, false),
        (SITE, "__Host-a=1; Secure; Path=/api", SITE, false),
        (SITE, "__Host-a=1; Secure; Path=/; Domain=app.example", SITE, false),
        (SITE, "__Secure-a=1; Secure; Domain=app.example", "https://sub.app.example", true),
        (SITE, "__Secure-a=1", SITE, false),
        (SITE, "__secure-a=1", SITE, false),
        (SITE, "__host-a=1; Secure", SITE, false),
        // What is no cookie
        (SITE, "a", SITE, false),
        (SITE, "=1", SITE, false),
    ] {
        let visitor = Visitor::new();
        visitor.given(given_by, &[cookie]).await;
        let sent = visitor.sends(sent_to).await;
        let expected = if is_sent { cookie.split(';').next().unwrap() } else { "" };
        assert_eq!(sent, expected, "{cookie}, given by {given_by}, at {sent_to}");
    }
}

/// A client asks no such server; the jar answers programs that do.
#[tokio::test]
async fn what_is_secret_does_not_go_over_a_network_in_clear() {
    let visitor = Visitor::new();
    visitor.given(SITE, &["a=1; Secure; Path=/", "b=2; Path=/"]).await;
    let value = async |url: &str, name: &str| visitor.jar.get(url, name).await;
    assert_eq!(value("https://app.example/page", "a").await.as_deref(), Some("1"));
    assert_eq!(value("http://app.example/page", "a").await, None);
    assert_eq!(value("http://app.example/page", "b").await.as_deref(), Some("2"));
    assert_eq!(value("https://app.example/page", "c").await, None);
}

/// Section 5.4: the longest path first, of those the oldest; a cookie that is replaced keeps its place.
#[tokio::test]
async fn they_are_sent_in_order() {
    let visitor = Visitor::new();
    visitor.given(SITE, &["b=2; Path=/", "a=1; Path=/api/auth", "c=3; Path=/", "b=9; Path=/api"]).await;
    assert_eq!(visitor.sends(SITE).await, "a=1; b=9; b=2; c=3");
    visitor.given(SITE, &["b=4; Path=/", "d=5; Path=/"]).await;
    assert_eq!(visitor.sends(SITE).await, "a=1; b=9; b=4; c=3; d=5");
    let value = visitor.jar.get("https://app.example/api/x", "b").await;
    assert_eq!(value.as_deref(), Some("9"), "the one that a server reads first");
}

#[tokio::test]
async fn they_end_by_the_clock_of_the_client() {
    for (cookie, seconds) in [
        ("a=1; Max-Age=60", Some(60)),
        ("a=1; Expires=Thu, 15 Jan 2026 12:01:00 GMT", Some(60)),
        ("a=1; Max-Age=60; Expires=Thu, 15 Jan 2026 12:00:10 GMT", Some(60)),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(60)),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("a=1; Max-Age=0", Some(0)),
        ("a=1; Max-Age=-1", Some(0)),
        ("a=1; Max-Age=999999999999999999", None),
        ("a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("a=1; Expires=whenever", None),
        ("a=1; Max-Age=soon", None),
        ("a=1", None),
    ] {
        let visitor = Visitor::new();
        visitor.given(SITE, &[cookie]).await;
        if let Some(seconds) = seconds {
            visitor.time.pass(i64::max(seconds - 1, 0));
            assert_eq!(visitor.sends(SITE).await, if seconds > 0 { "a=1" } else { "" }, "{cookie}");
            visitor.time.pass(i64::min(seconds, 1));
            assert_eq!(visitor.sends(SITE).await, "", "{cookie}");
        } else {
            visitor.time.pass(10 * 365 * 24 * 3600);
            assert_eq!(visitor.sends(SITE).await, "a=1", "{cookie}");
        }
    }
}

#[tokio::test]
async fn they_are_removed_by_name_domain_and_path() {
    let visitor = Visitor::new();
    visitor.given(SITE, &["a=1; Path=/", "b=2; Path=/; Domain=app.example"]).await;
    visitor.given(SITE, &["a=; Path=/api; Max-Age=0", "b=; Path=/; Max-Age=0"]).await;
    assert_eq!(visitor.sends(SITE).await, "a=1; b=2");
    visitor.given(SITE, &["a=; Path=/; Max-Age=0", "b=; Path=/; Domain=app.example; Max-Age=0"]).await;
    assert_eq!(visitor.sends(SITE).await, "");
}

#[tokio::test]
async fn a_server_cannot_fill_the_memory() {
    let visitor = Visitor::new();
    let cookies: Vec<_> = (0..250).map(|number| format!("n{number}=1; Path=/")).collect();
    visitor.given(SITE, &cookies.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let sent = visitor.sends(SITE).await;
    let names: Vec<_> = sent.split("; ").collect();
    assert_eq!((names.len(), names[0], names[199]), (200, "n50=1", "n249=1"));
}

#[tokio::test]
async fn values_are_sent_as_they_came() {
    for value in ["", "\"quoted\"", "a=b=c", "a%7Cb%20c", "a b", "{\"x\":1,\"y\":[2]}", "a+b/c==", "\\"] {
        let visitor = Visitor::new();
        visitor.given(SITE, &[&format!("a={value}; Path=/")]).await;
        assert_eq!(visitor.sends(SITE).await, format!("a={value}"));
    }
}

#[tokio::test]
async fn clients_over_one_jar_are_one_visitor() {
    let visitor = Visitor::new();
    visitor.replies.set(
        "POST callback/credentials",
        Reply::json(&json!({ "url": "http://localhost:3000/" })).with_cookie("session=1; Path=/"),
    );
    let one = visitor.client(ORIGIN).build().unwrap();
    let _ = one.sign_in("credentials", SignInOptions::new().redirect(false), &[]).await.unwrap();
    assert_eq!(visitor.sends(ORIGIN).await, "session=1");
    visitor.jar.clear().await;
    assert_eq!(visitor.sends(ORIGIN).await, "");
}

/// The server has renewed the session before it was told that it is over: the cookie comes late.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_does_not_bring_a_session_back() {
    for read in ["session", "POST session"] {
        let visitor = Visitor::new();
        visitor.given(ORIGIN, &["session=1; Path=/"]).await;
        let (reading, leaving) =
            (visitor.client(ORIGIN).build().unwrap(), visitor.client(ORIGIN).build().unwrap());
        let renewed = Reply::json(&json!({ "user": {} })).with_cookie("session=2; Path=/");
        visitor.replies.set(read, renewed.clone());
        let gone = Reply::json(&json!({ "url": ORIGIN })).with_cookie("session=; Path=/; Max-Age=0");
        visitor.replies.set("POST signout", gone);
        visitor.replies.hold(read);
        let read_session = async {
            if read == "session" { reading.get_session().await } else { reading.update(json!({})).await }
        };
        let leave = async {
            idle().await;
            assert_eq!(visitor.replies.last().endpoint(), read);
            leaving.sign_out(SignOutOptions::new()).await.unwrap();
            visitor.replies.release();
        };
        let (session, ()) = tokio::join!(read_session, leave);
        assert_eq!(session.is_err(), read == "POST session", "what was changed may be lost");
        visitor.replies.set("session", Reply::json(&json!({})));
        assert_eq!(visitor.sends(ORIGIN).await, "", "{read}");
        // What is read from then on counts again.
        visitor.given(ORIGIN, &["session=3; Path=/"]).await;
        assert_eq!(visitor.sends(ORIGIN).await, "session=3");
    }
}

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("cookies.json")
    }

    fn saved(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    async fn jar(&self) -> CookieJar {
        CookieJar::open(JarFile::new(self.file())).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn what_lasts_outlives_the_program() {
    let folder = Folder::new("lasting");
    let visitor = Visitor::with(folder.jar().await);
    visitor
        .given(SITE, &[LASTING, "csrf=canary-2; Path=/", "odd=\"a=b\"; Path=/api; Max-Age=60; Secure"])
        .await;
    assert_eq!(visitor.sends(SITE).await, "odd=\"a=b\"; session=canary-1; csrf=canary-2");
    let saved = fs::read_to_string(folder.file()).unwrap();
    assert!(saved.contains("canary-1") && !saved.contains("canary-2"), "{saved}");

    let next = Visitor::with(folder.jar().await);
    assert_eq!(next.sends(SITE).await, "odd=\"a=b\"; session=canary-1");
    assert_eq!(next.sends("https://sub.app.example").await, "", "host-only stays so");
    next.time.pass(60);
    assert_eq!(next.sends(SITE).await, "session=canary-1", "the end is the one that it had");
    next.given(SITE, &["session=; Path=/; Max-Age=0"]).await;
    assert_eq!(folder.saved(), EMPTY);
    let last = Visitor::with(folder.jar().await);
    last.given(SITE, &[LASTING]).await;
    last.jar.clear().await;
    assert!(folder.saved().ends_with(r#","cookies":[]}"#), "{}", folder.saved());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_the_file() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = Folder::new("mode");
    fs::write(folder.file(), EMPTY).unwrap();
    fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o644)).unwrap();
    for _ in 0..2 {
        let visitor = Visitor::with(folder.jar().await);
        visitor.given(SITE, &[LASTING]).await;
        visitor.given(SITE, &["session=; Path=/; Max-Age=0"]).await;
        assert_eq!(fs::metadata(folder.file()).unwrap().mode() & 0o777, 0o600);
        fs::remove_file(folder.file()).unwrap();
    }
}

/// Whoever reads it meanwhile, or is left with it by a crash, has one version or the other.
#[cfg(unix)]
#[tokio::test]
async fn the_file_is_replaced_as_a_whole() {
    use std::io::Read;
    let folder = Folder::new("whole");
    let visitor = Visitor::with(folder.jar().await);
    visitor.given(SITE, &[LASTING]).await;
    let (mut before, old) = (File::open(folder.file()).unwrap(), fs::read_to_string(folder.file()).unwrap());
    visitor.given(SITE, &["session=canary-2; Path=/; Max-Age=3600"]).await;
    let mut read = String::new();
    before.read_to_string(&mut read).unwrap();
    assert_eq!(read, old);
    assert!(fs::read_to_string(folder.file()).unwrap().contains("canary-2"));
    let beside = fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().file_name());
    let beside: BTreeSet<_> = beside.filter_map(|name| name.into_string().ok()).collect();
    assert_eq!(beside, ["cookies.json", "cookies.json.lock"].map(String::from).into());
}

#[cfg(unix)]
#[tokio::test]
async fn what_did_not_change_is_not_saved() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::new("unchanged");
    let visitor = Visitor::with(folder.jar().await);
    visitor.given(SITE, &[]).await;
    visitor.given(SITE, &["session=; Path=/; Max-Age=0"]).await;
    assert!(!folder.file().exists());
    visitor.given(SITE, &[LASTING]).await;
    let file = File::open(folder.file()).unwrap();
    visitor.given(SITE, &[LASTING]).await;
    assert_eq!(file.metadata().unwrap().nlink(), 1, "it is the same file still");
}

#[tokio::test]
async fn a_broken_file_is_left_as_it_is() {
    let folder = Folder::new("broken");
    let visitor = Visitor::with(folder.jar().await);
    visitor.given(SITE, &[LASTING]).await;
    let good = fs::read_to_string(folder.file()).unwrap();
    for broken in [
        "",
        "canary",
        "{\"canary\":1}",
        "{\"turn\":0,\"cookies\":[{\"raw_cookie\":\"canary\"}]}",
        "[]",
        &good[..good.len() - 2],
        &good.replace("session=canary-1", "=canary"),
    ] {
        fs::write(folder.file(), broken).unwrap();
        let error = CookieJar::open(JarFile::new(folder.file())).await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Storage, "{broken}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary") && text.contains("remove"), "{text}");
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), broken);
    }
    let error = CookieJar::open(JarFile::new(&folder.0)).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Storage, "a folder is no file");
}

/// What lasts is common; what ends with a program is its own.
#[tokio::test]
async fn programs_over_one_file_are_one_visitor() {
    let folder = Folder::new("programs");
    let (one, other) = (Visitor::with(folder.jar().await), Visitor::with(folder.jar().await));
    one.given(SITE, &[LASTING, "csrf=1; Path=/"]).await;
    other.given(SITE, &["csrf=2; Path=/"]).await;
    assert_eq!(one.sends(SITE).await, "session=canary-1; csrf=1");
    assert_eq!(other.sends(SITE).await, "session=canary-1; csrf=2");
    other.given(SITE, &["session=canary-2; Path=/; Max-Age=60", "more=1; Path=/; Max-Age=60"]).await;
    assert_eq!(one.sends(SITE).await, "session=canary-2; csrf=1; more=1");
    one.given(SITE, &["session=; Path=/; Max-Age=0"]).await;
    assert_eq!(other.sends(SITE).await, "csrf=2; more=1");
    other.jar.clear().await;
    assert_eq!(one.sends(SITE).await, "csrf=1");
    one.given(SITE, &[LASTING]).await;
    fs::remove_file(folder.file()).unwrap();
    for visitor in [&one, &other] {
        assert!(!visitor.sends(SITE).await.contains("session"), "what was removed by hand is gone");
    }
}

/// What one program asks before the other has signed out comes back after it, as among clients of one program.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_does_not_bring_back_what_another_program_has_ended() {
    let folder = Folder::new("slow");
    let (reading, leaving) = (Visitor::with(folder.jar().await), Visitor::with(folder.jar().await));
    reading.given(ORIGIN, &[LASTING]).await;
    let renewed = Reply::json(&json!({ "user": {} })).with_cookie("session=2; Path=/; Max-Age=3600");
    reading.replies.set("session", renewed);
    reading.replies.hold("session");
    let client = reading.client(ORIGIN).build().unwrap();
    let leave = async {
        idle().await;
        assert_eq!(reading.replies.last().endpoint(), "session");
        let gone = Reply::json(&json!({ "url": ORIGIN })).with_cookie("session=; Path=/; Max-Age=0");
        leaving.replies.set("POST signout", gone);
        leaving.client(ORIGIN).build().unwrap().sign_out(SignOutOptions::new()).await.unwrap();
        reading.replies.release();
    };
    tokio::join!(client.get_session(), leave).0.unwrap();
    reading.replies.set("session", Reply::json(&json!({})));
    assert_eq!(reading.sends(ORIGIN).await, "");
}

/// The other program has only read: what this one has changed stays changed.
#[tokio::test(start_paused = true)]
async fn an_update_is_not_lost_when_another_program_reads() {
    let folder = Folder::new("update");
    let (updating, reading) = (Visitor::with(folder.jar().await), Visitor::with(folder.jar().await));
    updating.given(ORIGIN, &[LASTING]).await;
    let updated = Reply::json(&json!({ "user": {} })).with_cookie("session=updated; Path=/; Max-Age=3600");
    updating.replies.set("POST session", updated);
    updating.replies.hold("POST session");
    let client = updating.client(ORIGIN).build().unwrap();
    let read = async {
        idle().await;
        assert_eq!(updating.replies.last().endpoint(), "POST session");
        reading.given(ORIGIN, &["session=renewed; Path=/; Max-Age=3600"]).await;
        updating.replies.release();
    };
    tokio::join!(client.update(json!({})), read).0.unwrap();
    assert_eq!(reading.sends(ORIGIN).await, "session=updated");
}

/// All providers of a program learn what another program has done as soon as anything is asked.
#[tokio::test(start_paused = true)]
async fn providers_learn_what_another_program_did() {
    let folder = Folder::new("providers");
    let (here, there) = (Visitor::with(folder.jar().await), Visitor::with(folder.jar().await));
    here.given(ORIGIN, &[LASTING]).await;
    here.replies.set(
        "session",
        Reply::json(&json!({ "user": { "name": "J" }, "expires": "2026-02-01T00:00:00.000Z" })),
    );
    let providers =
        [(); 2].map(|()| SessionProvider::builder(here.client(ORIGIN).build().unwrap()).start().unwrap());
    idle().await;
    assert!(providers.iter().all(|provider| provider.state().status == SessionStatus::Authenticated));
    let gone = Reply::json(&json!({ "url": ORIGIN })).with_cookie("session=; Path=/; Max-Age=0");
    there.replies.set("POST signout", gone);
    there.client(ORIGIN).build().unwrap().sign_out(SignOutOptions::new()).await.unwrap();
    here.replies.set("session", Reply::json(&json!({})));
    here.client(ORIGIN).build().unwrap().get_providers().await.unwrap();
    idle().await;
    assert!(providers.iter().all(|provider| provider.state().status == SessionStatus::Unauthenticated));
}

/// Both change it at one instant, again and again: nothing of either is lost.
#[tokio::test(flavor = "multi_thread")]
async fn changes_at_one_instant_are_both_kept() {
    let folder = Folder::new("instant");
    let (one, other) = (Visitor::with(folder.jar().await), Visitor::with(folder.jar().await));
    for round in 0..20 {
        let cookies = ["a", "b"].map(|name| format!("{name}{round}=1; Path=/; Max-Age=60"));
        let (left, right) = ([&*cookies[0]], [&*cookies[1]]);
        tokio::join!(one.given(SITE, &left), other.given(SITE, &right));
        let next = Visitor::with(folder.jar().await).sends(SITE).await;
        assert_eq!(next.split("; ").count(), 2 * (round + 1), "{next}");
    }
}

/// Whoever has the file to themselves for ever is not waited for without an end.
#[tokio::test(start_paused = true)]
async fn a_program_that_hangs_holds_nobody_up() {
    let folder = Folder::new("hangs");
    let (log, _guard) = Log::of(Level::WARN);
    let visitor = Visitor::with(folder.jar().await);
    let lock = File::create(folder.0.join("cookies.json.lock")).unwrap();
    lock.lock().unwrap();
    visitor.given(SITE, &[LASTING]).await;
    assert!(folder.saved().contains("canary-1"));
    assert!(log.text().contains("does it hang?"), "{}", log.text());
}

/// What could not be saved is here all the same, and is saved as soon as that can be done.
#[tokio::test]
async fn what_could_not_be_saved_is_not_lost_to_another_program() {
    let (_log, _guard) = Log::of(Level::ERROR);
    let storage = Storage { is_shared: true, ..Storage::default() };
    let one = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
    let other = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
    storage.fails(true);
    one.given(SITE, &[LASTING]).await;
    storage.fails(false);
    other.given(SITE, &["more=1; Path=/; Max-Age=60"]).await;
    assert_eq!(one.sends(SITE).await, "session=canary-1");
    assert_eq!(other.sends(SITE).await, "session=canary-1", "the last one has the last word");
}

/// Whoever gives up waiting leaves nothing half done.
#[tokio::test(start_paused = true)]
async fn a_change_that_nobody_waits_for_is_saved() {
    let storage = Storage { is_shared: true, ..Storage::default() };
    let visitor = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
    let slow = storage.slow.lock().await;
    let given = timeout(Duration::from_millis(1), visitor.given(SITE, &[LASTING]));
    assert!(given.await.is_err());
    drop(slow);
    idle().await;
    assert!(storage.saved.lock().unwrap().as_ref().unwrap().contains("canary-1"));
}

/// One removes the file and signs in anew while the other was signed in: that is somebody else.
#[tokio::test(start_paused = true)]
async fn a_new_file_is_another_visitor() {
    let folder = Folder::new("new-file");
    let here = Visitor::with(folder.jar().await);
    here.sign_in("session=x; Path=/; Max-Age=3600").await;
    here.replies.set("session", Reply::json(&json!({ "user": { "name": "X" } })));
    let provider = SessionProvider::builder(here.client(ORIGIN).build().unwrap()).start().unwrap();
    idle().await;
    fs::remove_file(folder.file()).unwrap();
    let there = Visitor::with(folder.jar().await);
    there.sign_in("session=y; Path=/; Max-Age=3600").await;
    here.replies.set("session", Reply::json(&json!({ "user": { "name": "Y" } })));
    here.client(ORIGIN).build().unwrap().get_providers().await.unwrap();
    idle().await;
    assert_eq!(provider.state().data.unwrap().user.name.as_deref(), Some("Y"));
}

/// The token's cookie is not taken, because another program signs out while it is on its way: another token is asked for.
#[tokio::test(start_paused = true)]
async fn a_token_that_came_too_late_is_asked_for_again() {
    let folder = Folder::new("token");
    let (here, there) = (Visitor::with(folder.jar().await), Visitor::with(folder.jar().await));
    here.given(ORIGIN, &[LASTING]).await;
    let token = Reply::json(&json!({ "csrfToken": "token" }));
    here.replies.set("csrf", token.with_cookie("next-auth.csrf-token=token%7Chash; Path=/"));
    here.replies.hold("csrf");
    let client = here.client(ORIGIN).build().unwrap();
    let leave = async {
        idle().await;
        assert_eq!(here.replies.last().endpoint(), "csrf");
        there.jar.clear().await;
        here.replies.release();
    };
    let options = SignInOptions::new().redirect(false);
    let (signed_in, ()) = tokio::join!(client.sign_in("credentials", options, &[]), leave);
    let _ = signed_in.unwrap();
    let posted =
        here.replies.asked().into_iter().find(|asked| asked.endpoint() == "POST callback/credentials");
    assert_eq!(posted.unwrap().cookies(), "next-auth.csrf-token=token%7Chash");
}

/// Each begins with what the one before has made of the session.
#[tokio::test(start_paused = true)]
async fn updates_come_one_after_another() {
    let visitor = Visitor::new();
    visitor.given(ORIGIN, &["session=1; Path=/"]).await;
    let (one, other) = (visitor.client(ORIGIN).build().unwrap(), visitor.client(ORIGIN).build().unwrap());
    let updated =
        |value: &str| Reply::json(&json!({ "user": {} })).with_cookie(&format!("session={value}; Path=/"));
    visitor.replies.set("POST session", updated("2"));
    visitor.replies.hold("POST session");
    let release = async {
        idle().await;
        visitor.replies.set("POST session", updated("3"));
        visitor.replies.release();
    };
    let (first, second, ()) = tokio::join!(one.update(json!({})), other.update(json!({})), release);
    assert!(first.unwrap().is_some() && second.unwrap().is_some());
    let posts = visitor.replies.asked().into_iter().filter(|asked| asked.endpoint() == "POST session");
    assert_eq!(posts.map(|asked| asked.cookies().to_owned()).collect::<Vec<_>>(), ["session=1", "session=2"]);
    assert_eq!(visitor.sends(ORIGIN).await, "session=3");
}

/// A wrong password, or the beginning of a sign-in, is no change of the session; who has signed out meanwhile is told.
#[tokio::test(start_paused = true)]
async fn an_update_is_only_lost_to_another_session() {
    let form = Reply::json(&json!({ "url": "http://localhost:3000/?error=CredentialsSignin" }));
    for (posts, is_lost) in [
        (form.clone(), false),
        (form.clone().with_cookie("next-auth.callback-url=x; Path=/"), false),
        (
            form.clone().with_cookie("__Secure-authjs.pkce.code_verifier=x; Path=/; Secure; Max-Age=900"),
            false,
        ),
        (form.clone().with_cookie("next-auth.session-token=x; Path=/"), true),
        (form.clone().with_cookie("__Secure-authjs.session-token.0=; Path=/; Secure; Max-Age=0"), true),
        (form.clone().with_cookie("a-name-of-its-own=x; Path=/"), true),
    ] {
        let visitor = Visitor::new();
        let about = format!("{:?}", posts.cookies());
        visitor.replies.set("POST callback/credentials", posts);
        visitor.given(ORIGIN, &["next-auth.session-token=1; Path=/"]).await;
        let updated = Reply::json(&json!({ "user": {} })).with_cookie("next-auth.session-token=2; Path=/");
        visitor.replies.set("POST session", updated);
        visitor.replies.hold("POST session");
        let client = visitor.client(ORIGIN).build().unwrap();
        let sign_in = async {
            idle().await;
            let options = SignInOptions::new().redirect(false);
            let _ =
                visitor.client(ORIGIN).build().unwrap().sign_in("credentials", options, &[]).await.unwrap();
            visitor.replies.release();
        };
        let (updated, ()) = tokio::join!(client.update(json!({})), sign_in);
        let told = updated.map_err(|error| error.kind());
        assert_eq!(told.is_err(), is_lost, "{about}");
        assert!(!is_lost || told.unwrap_err() == ClientErrorKind::Unavailable, "{about}");
        assert_eq!(visitor.sends(ORIGIN).await.contains("session-token=2"), !is_lost, "{about}");
    }
}

/// What a program asks in other ways is asked as whoever is signed in now.
#[tokio::test]
async fn a_cookie_for_others_is_that_of_all_programs() {
    let folder = Folder::new("others");
    let (one, other) = (folder.jar().await, Visitor::with(folder.jar().await));
    other.given(SITE, &[LASTING]).await;
    assert_eq!(one.get(SITE, "session").await.as_deref(), Some("canary-1"));
    other.jar.clear().await;
    assert_eq!(one.get(SITE, "session").await, None);
}

/// A program that was stopped while it saved has left a session, which the next change takes away.
#[tokio::test]
async fn what_a_stopped_program_has_left_goes() {
    let folder = Folder::new("left");
    let left = folder.0.join("cookies.json.0123456789abcdef.new");
    fs::write(&left, "canary").unwrap();
    let visitor = Visitor::with(folder.jar().await);
    visitor.given(SITE, &[LASTING]).await;
    assert!(!left.exists());
}

#[tokio::test]
async fn a_file_that_another_program_has_broken_is_none() {
    let folder = Folder::new("broken-later");
    let (log, _guard) = Log::of(Level::WARN);
    let visitor = Visitor::with(folder.jar().await);
    visitor.given(SITE, &[LASTING]).await;
    fs::write(folder.file(), "canary").unwrap();
    assert_eq!(visitor.sends(SITE).await, "session=canary-1");
    let log = log.text();
    assert!(log.contains("WARN") && log.contains("remove them") && !log.contains("canary"), "{log}");
}

/// Holds what it is given, or cannot.
#[derive(Clone, Default)]
struct Storage {
    saved: Arc<Mutex<Option<String>>>,
    loads: Arc<AtomicUsize>,
    fails: Arc<AtomicBool>,
    is_shared: bool,
    /// Whoever holds it keeps others from saving.
    slow: Arc<AsyncMutex<()>>,
}

impl Storage {
    fn fails(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }
}

#[async_trait]
impl JarStorage for Storage {
    async fn load(&self) -> Result<Option<String>, BoxError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        Ok(self.saved.lock().unwrap().clone())
    }

    async fn save(&self, cookies: &str) -> Result<(), BoxError> {
        let _slow = self.slow.lock().await;
        if self.fails.load(Ordering::Relaxed) {
            return Err("the disk is full".into());
        }
        *self.saved.lock().unwrap() = Some(cookies.to_owned());
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }
}

#[tokio::test]
async fn a_storage_of_ones_own() {
    let storage = Storage::default();
    let visitor = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
    visitor.given(SITE, &[LASTING]).await;
    let next = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
    assert_eq!(next.sends(SITE).await, "session=canary-1");
    assert_eq!(storage.loads.load(Ordering::Relaxed), 2, "it says of no other programs");
}

#[tokio::test]
async fn a_jar_that_cannot_be_saved_goes_on() {
    let (log, _guard) = Log::of(Level::WARN);
    let storage = Storage::default();
    storage.fails(true);
    let visitor = Visitor::with(CookieJar::open(storage).await.unwrap());
    visitor.given(SITE, &[LASTING]).await;
    assert_eq!(visitor.sends(SITE).await, "session=canary-1");
    let log = log.text();
    assert!(log.contains("ERROR") && log.contains("the disk is full") && !log.contains("canary"), "{log}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_can_read_is_logged() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("readable");
    let (log, _guard) = Log::of(Level::WARN);
    fs::write(folder.file(), EMPTY).unwrap();
    fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o644)).unwrap();
    folder.jar().await;
    let log = log.text();
    assert!(log.contains("WARN") && log.contains("chmod 600"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_printed_holds_a_secret() {
    let folder = Folder::new("printed");
    let jar_file = JarFile::new(folder.file());
    let visitor = Visitor::with(CookieJar::open(jar_file.clone()).await.unwrap());
    let told = json!({ "user": { "name": "canary" }, "canary": "canary" });
    visitor.replies.set("session", Reply::json(&told).with_cookie(LASTING));
    let client = visitor.client(SITE).build().unwrap();
    let builder = SessionProvider::builder(client.clone());
    let printed_builder = format!("{builder:?}");
    let provider = builder.start().unwrap();
    idle().await;
    let options =
        SignInOptions::new().field("password", "canary").callback_url("/canary").redirect_to("/canary");
    let text = format!(
        "{client:?} {:?} {:?} {jar_file:?} {provider:?} {:?} {printed_builder} {options:?}",
        visitor.jar,
        visitor.client(SITE),
        provider.state(),
    );
    assert!(provider.state().data.is_some() && !text.contains("canary"), "{text}");
    assert!(text.contains("cookies: 1") && text.contains("\"password\""), "{text}");
}

fn set_cookie() -> impl Strategy<Value = String> {
    let attribute = prop_oneof![
        "[ -~]{0,20}",
        "(Path|Domain|Max-Age|Expires|SameSite|Secure|HttpOnly)( ?= ?[ -~]{0,20})?",
        "Max-Age=-?[0-9]{0,22}",
        "(Domain=|domain=)\\.?[a-z0-9.\\[\\]:-]{0,20}",
        "Expires=[A-Z][a-z]{2}, [0-9]{1,2} Jan [0-9]{2,5} [0-9:]{0,8} GMT",
    ];
    let pair = prop_oneof!["[ -~]{0,30}", "(__Host-|__Secure-)?[a-z]{0,3}=[ -~]{0,10}"];
    (pair, prop::collection::vec(attribute, 0..4))
        .prop_map(|(pair, attributes)| [vec![pair], attributes].concat().join("; "))
}

proptest! {
    /// Whatever a server sends: nothing panics, what is sent back is what was given, and what was saved can be read.
    #[test]
    fn what_is_sent_was_received(texts in prop::collection::vec(set_cookie(), 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let storage = Storage::default();
        let cookies: Vec<_> = texts.iter().map(String::as_str).collect();
        let (sent, saved) = runtime.block_on(async {
            let visitor = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
            visitor.given(SITE, &cookies).await;
            let next = Visitor::with(CookieJar::open(storage.clone()).await.unwrap());
            (visitor.sends(SITE).await, next.sends(SITE).await)
        });
        let pairs = |header: &str| -> Vec<String> {
            header.split("; ").filter(|pair| !pair.is_empty()).map(str::to_owned).collect()
        };
        let received = |pair: &str| texts.iter().any(|text| {
            let (name, value) = text.split(';').next().unwrap_or_default().split_once('=').unwrap_or_default();
            format!("{}={}", name.trim(), value.trim()) == pair
        });
        for pair in pairs(&sent) {
            prop_assert!(received(&pair), "{pair:?} of {texts:?}");
        }
        for pair in pairs(&saved) {
            prop_assert!(pairs(&sent).contains(&pair), "{pair:?} of {texts:?}");
        }
    }
}
