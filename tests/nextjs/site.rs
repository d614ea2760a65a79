//! The Next.js applications, running.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, Once, PoisonError},
    thread,
};

use portcullis::Dialect;

use crate::services;

/// Which application, where it believes to be, and its secrets, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub dialect: Dialect,
    pub origin: &'static str,
    pub secrets: &'static [&'static str],
}

/// What runs already, for all tests of this process. A site ends with its input, so with the process.
static RUNNING: Mutex<BTreeMap<String, (SocketAddr, ChildStdin)>> = Mutex::new(BTreeMap::new());

static SAY_ONCE: Once = Once::new();

impl Setting {
    /// The address of the running site, which knows no session but those in the cookies it is sent.
    /// Nothing where Next.js is missing and that is allowed.
    pub fn site(&self) -> Option<SocketAddr> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{self:?}");
        if let Some((address, _)) = running.get(&name) {
            return Some(*address);
        }
        match self.start() {
            Ok((address, stdin)) => {
                running.insert(name, (address, stdin));
                Some(address)
            }
            Err(why) => {
                SAY_ONCE.call_once(|| {
                    services::left_out_without_node(&format!("nothing was held against Next.js; {why}"));
                });
                None
            }
        }
    }

    fn start(&self) -> Result<(SocketAddr, ChildStdin), String> {
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nextjs");
        let folder = all.join(self.dialect.to_string());
        let next = all.join("node_modules/next/dist/bin/next");
        if !next.is_file() || !folder.join(".next/.complete").is_file() {
            return Err("the sites are not built: run `scripts/test setup`".to_owned());
        }
        let log = self.log();
        let mut child = Command::new("node")
            .arg("--require")
            .arg(all.join("end-with-stdin.cjs"))
            .arg(next)
            .args(["start", "--port", "0", "--hostname", "127.0.0.1"])
            .current_dir(&folder)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .envs(self.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .map_err(|error| format!("node cannot be started ({error}): install Node 20 or newer"))?;
        let stdin = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let address = ready(output, log).unwrap_or_else(|| panic!("{self:?} did not start; see {LOGS}"));
        Ok((address, stdin))
    }

    /// What its operator would set.
    fn variables(&self) -> Vec<(&'static str, &'static str)> {
        let v5 = self.dialect == Dialect::V5;
        match self.secrets {
            [secret] if v5 => vec![("AUTH_URL", self.origin), ("AUTH_SECRET", *secret)],
            [secret] => vec![("NEXTAUTH_URL", self.origin), ("NEXTAUTH_SECRET", *secret)],
            [newer, older] if v5 => {
                vec![("AUTH_URL", self.origin), ("AUTH_SECRET_2", *newer), ("AUTH_SECRET_1", *older)]
            }
            _ => panic!("no site for {self:?}"),
        }
    }

    fn log(&self) -> File {
        let scheme = self.origin.split(':').next().unwrap();
        fs::create_dir_all(LOGS).unwrap();
        File::create(format!("{LOGS}/{}-{scheme}-{}.log", self.dialect, self.secrets.len())).unwrap()
    }
}

/// What the sites wrote, for whoever has to find out why a test failed.
const LOGS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/nextjs");

/// Where the site listens, once it does. What it writes from then on goes to the log.
fn ready(output: BufReader<impl io::Read + Send + 'static>, mut log: File) -> Option<SocketAddr> {
    let (mut lines, mut address) = (output.lines(), None);
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some((_, found)) = line.split_once("Local:").and_then(|(_, url)| url.split_once("http://")) {
            address = found.trim().parse().ok();
        }
        writeln!(log, "{line}").unwrap();
        if line.contains("Ready in") {
            thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| writeln!(log, "{line}")));
            return address;
        }
    }
    None
}
