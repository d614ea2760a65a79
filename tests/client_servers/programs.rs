//! Servers as programs of their own, which end with their test.

use std::{
    env, iter,
    net::TcpListener,
    path::Path,
    process::{self, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

use crate::{mail::Mailbox, services, site::Server};

pub struct Program {
    /// Where it is reached.
    pub url: String,
    pub mailbox: Mailbox,
    _child: Child,
}

impl Program {
    /// Nothing where Node is missing and that is allowed.
    pub async fn start(server: Server, variables: &[(&str, &str)]) -> Option<Self> {
        let mailbox = Mailbox::open().await;
        let spawned = match server {
            Server::Demo(dialect) => Ok(demo(&dialect.to_string(), mailbox.smtp_port)
                .envs(variables.iter().copied())
                .spawn()
                .unwrap()),
            Server::Npm(dialect) => node(&dialect.to_string()).and_then(|mut node| {
                let spawned = node.envs(variables.iter().copied()).spawn();
                spawned.map_err(|error| format!("node cannot be started ({error}): install Node 20 or newer"))
            }),
        };
        let mut child = match spawned {
            Ok(child) => child,
            Err(why) => {
                services::left_out_without_node(&format!(
                    "the client was not held against {server:?}; {why}"
                ));
                return None;
            }
        };
        let (address, mut listens) = watch::channel(None);
        tokio::spawn(listen(child.stdout.take().unwrap(), mailbox.clone(), address));
        tokio::spawn(listen(child.stderr.take().unwrap(), mailbox.clone(), watch::Sender::new(None)));
        let url = timeout(Duration::from_secs(30), listens.wait_for(Option::is_some)).await.unwrap();
        let url = url.unwrap_or_else(|_| panic!("{server:?} ended without an address")).clone().unwrap();
        Some(Self { url, mailbox, _child: child })
    }
}

/// Where cargo puts the examples that it builds with the tests.
fn demo(dialect: &str, smtp_port: u16) -> Command {
    let tests = env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/demo");
    assert!(program.exists(), "{} was not built: run cargo test without --test", program.display());
    let mut command = command(program);
    command
        .env("PORT", "0")
        .env("AUTH_COMPAT", dialect)
        .env("RUST_LOG", "warn")
        .env("DATABASE_URL", "memory:")
        .env("SMTP_URL", format!("smtp://127.0.0.1:{smtp_port}"))
        .env("EMAIL_FROM", "site@example.com");
    command
}

/// It ends with its input, that is with this process, however that ends.
fn node(dialect: &str) -> Result<Command, String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    if !tests.join("node/node_modules").is_dir() {
        return Err("the packages are missing: run `scripts/test setup`".to_owned());
    }
    let mut command = command("node");
    command
        .arg("--require")
        .arg(tests.join("nextjs/end-with-stdin.cjs"))
        .arg(tests.join(format!("client_servers/{dialect}.mjs")))
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::piped());
    Ok(command)
}

fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Says where it listens, and takes the mail; the rest is for whoever has to find out why a test failed.
async fn listen(output: impl AsyncRead + Unpin, mailbox: Mailbox, address: watch::Sender<Option<String>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("open"), Some(url), _) => drop(address.send_replace(Some(url.to_owned()))),
            (Some("mail"), Some(to), Some(link)) => mailbox.put(to, link),
            _ => println!("{line}"),
        }
    }
}

/// A port for later, which is none of those that the system gives to others meanwhile.
pub fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let start = (process::id() % 2000) as u16 * 6; // Other processes begin elsewhere.
    let ports = iter::repeat_with(|| 20_000 + (start + TRIED.fetch_add(1, Ordering::Relaxed)) % 12_000);
    ports.take(1000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
