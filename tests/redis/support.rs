//! Stores to test, each under keys that nobody else has.

use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use portcullis::{
    Timestamp, User,
    store::{RedisStore, SessionKey, StoreErrorKind, StoredSession, UpstashKeys},
};
use redis::{Cmd, FromRedisValue, aio::ConnectionManager, cluster_async::ClusterConnection};

use crate::services;

/// A store, and a connection for looking at what it has written.
pub struct Bed {
    pub name: &'static str,
    pub store: RedisStore,
    pub raw: Raw,
    /// What the keys begin with.
    pub prefix: String,
    pub upstash: bool,
}

#[derive(Clone)]
pub enum Raw {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
}

impl Raw {
    pub async fn send<T: FromRedisValue>(&self, command: &Cmd) -> T {
        match self.clone() {
            Self::Single(mut connection) => command.query_async(&mut connection).await.unwrap(),
            Self::Cluster(mut connection) => command.query_async(&mut connection).await.unwrap(),
        }
    }

    pub async fn get(&self, key: &str) -> Option<String> {
        self.send(redis::cmd("GET").arg(key)).await
    }

    pub async fn set(&self, key: &str, value: &str) {
        self.send::<()>(redis::cmd("SET").arg(key).arg(value)).await;
    }

    pub async fn del(&self, key: &str) {
        self.send::<()>(redis::cmd("DEL").arg(key)).await;
    }

    /// When a key ends, in milliseconds from now; -1 for never, -2 if it is not there.
    pub async fn ttl(&self, key: &str) -> i64 {
        self.send(redis::cmd("PTTL").arg(key)).await
    }

    /// The keys with this prefix, on all nodes.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let pattern = format!("{prefix}*");
        self.send(redis::cmd("KEYS").arg(pattern)).await
    }
}

/// Both layouts on the server and on the cluster.
pub async fn beds() -> Vec<Bed> {
    let mut beds = Vec::new();
    if let Some(url) = service("TEST_REDIS_URL") {
        let raw = redis::Client::open(url.as_str()).unwrap().get_connection_manager().await.unwrap();
        let store = RedisStore::connect(&url).await.unwrap();
        beds.extend(pair(["server", "server, keys of Node"], &store, &Raw::Single(raw)));
    }
    if let Some(urls) = service("TEST_REDIS_CLUSTER_URLS") {
        let urls: Vec<_> = urls.split(',').collect();
        let client = redis::cluster::ClusterClient::new(urls.clone()).unwrap();
        let raw = Raw::Cluster(client.get_async_connection().await.unwrap());
        let store = RedisStore::connect_cluster(urls).await.unwrap();
        beds.extend(pair(["cluster", "cluster, keys of Node"], &store, &raw));
    }
    beds
}

fn pair(names: [&'static str; 2], store: &RedisStore, raw: &Raw) -> [Bed; 2] {
    let (own, theirs) = (fresh("own"), fresh("node"));
    let keys = UpstashKeys::new().base_key_prefix(format!("{theirs}:"));
    [
        (names[0], store.clone().namespace(&own), own, false),
        (names[1], store.clone().upstash(&keys), theirs, true),
    ]
    .map(|(name, store, prefix, upstash)| Bed {
        name,
        store,
        raw: raw.clone(),
        prefix: format!("{prefix}:"),
        upstash,
    })
}

/// A name that no other test has.
pub fn fresh(kind: &str) -> String {
    format!("{}-{kind}", services::unique())
}

/// Where the server under this variable is.
pub fn service(variable: &str) -> Option<String> {
    services::given(variable, "Redis")
}

pub fn at(seconds: i64) -> Timestamp {
    // In the future of whoever runs this, so that nothing ends while it is looked at.
    Timestamp::from_secs(4_000_000_000 + seconds)
}

pub fn key(text: &str) -> SessionKey {
    SessionKey::new(text)
}

pub fn session(text: &str, user: &str) -> StoredSession {
    StoredSession::new(key(text), user, at(1000))
}

pub fn ada(email: &str) -> User {
    User::new("not this").name("Ada").email(email).with("role", "admin")
}

#[track_caller]
pub fn assert_conflict<T>(result: portcullis::store::Result<T>) {
    assert_eq!(result.err().expect("a conflict").kind(), StoreErrorKind::Conflict);
}

/// A server of a test's own, killed with it.
pub struct Server {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
    keeps: bool,
    cluster: bool,
}

impl Server {
    /// Starts one, if there is a program for it. One that `keeps` its data has them again when it comes back.
    pub fn start(keeps: bool) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_on(port, keeps, false)
    }

    /// Starts a cluster of one node, which keeps its data.
    pub fn start_cluster() -> Option<Self> {
        // Nodes talk to each other on a port of their own, which has to be one as well.
        let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        let port = (12_000..22_000).find(|port| is_free(*port) && is_free(port + 10_000)).unwrap();
        let server = Self::start_on(port, true, true)?;
        server.command(redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383));
        Some(server)
    }

    fn start_on(port: u16, keeps: bool, cluster: bool) -> Option<Self> {
        let folder = env::temp_dir().join(fresh("redis"));
        std::fs::create_dir(&folder).unwrap();
        let mut server = Self { child: None, folder, port, keeps, cluster };
        server.run().then_some(server)
    }

    /// Sends a command as soon as the server takes it.
    pub fn command(&self, command: &mut Cmd) {
        for _ in 0..400 {
            let client = redis::Client::open(self.url()).unwrap();
            if let Ok(mut connection) = client.get_connection()
                && command.exec(&mut connection).is_ok()
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the server does not answer");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn run(&mut self) -> bool {
        let options = [
            ("--port", self.port.to_string()),
            ("--bind", "127.0.0.1".into()),
            ("--save", String::new()),
            ("--dir", self.folder.display().to_string()),
            ("--appendonly", if self.keeps { "yes" } else { "no" }.into()),
            ("--appendfsync", "always".into()),
            ("--cluster-enabled", if self.cluster { "yes" } else { "no" }.into()),
        ];
        for program in ["valkey-server", "redis-server"] {
            let mut command = Command::new(program);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            for (name, value) in &options {
                command.args([name, value.as_str()]);
            }
            if let Ok(child) = command.spawn() {
                self.child = Some(child);
                return true;
            }
        }
        services::left_out("Redis: there is neither valkey-server nor redis-server");
        false
    }

    /// Without a word to anybody.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops or continues it: it keeps its connections and does not answer.
    pub fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}
