//! Database servers for tests: those that `scripts/with-services` has started, and ones of a test's own.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The URL in this variable, one of those that `scripts/with-services` sets. Without it, says that `what` is left
/// out, or fails where nothing may be.
pub fn given(variable: &str, what: &str) -> Option<String> {
    let url = env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        left_out(&format!("{what}: {variable} is not set; scripts/with-services sets it"));
    }
    url
}

/// Says that something is not tested, and why. Fails where nothing may be left out.
pub fn left_out(why: &str) {
    left_out_unless("PORTCULLIS_REQUIRE_SERVICES", why);
}

/// The same for what needs Node and its packages.
pub fn left_out_without_node(why: &str) {
    left_out_unless("PORTCULLIS_REQUIRE_NODE", why);
}

fn left_out_unless(required: &str, why: &str) {
    assert!(env::var(required).as_deref() != Ok("1"), "{why}");
    // Not with eprintln, which the harness keeps to itself when a test passes.
    let mut stderr = io::stderr();
    writeln!(stderr, "LEFT OUT: {why}").unwrap();
}

/// A name that nobody else has, for a place on a server that tests share.
pub fn unique() -> String {
    format!("t{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}

/// A new folder that the users of the servers can reach. The next call in another process removes it if nobody else
/// does.
pub fn folder() -> PathBuf {
    let output = service(&["folder", &std::process::id().to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

/// A server of this test's own, which may be killed and started again.
#[derive(Debug)]
pub struct Server {
    kind: &'static str,
    options: &'static [&'static str],
    folder: PathBuf,
    url: String,
    child: Child,
}

impl Server {
    /// Starts one: `postgres`, `mariadb`, `redis`, `redis-cluster` or `redis-node`. Where it cannot be had this says
    /// so, or fails where nothing may be left out.
    pub fn start(kind: &'static str) -> Option<Self> {
        Self::start_with(kind, &[])
    }

    /// Likewise, with these added to the server's command line.
    pub fn start_with(kind: &'static str, options: &'static [&'static str]) -> Option<Self> {
        if let Some(why) = Self::missing(kind) {
            left_out(&why);
            return None;
        }
        let folder = folder();
        let (child, url) = run(kind, &folder, options);
        Some(Self { kind, options, folder, url, child })
    }

    /// Why this kind cannot be had here.
    pub fn missing(kind: &str) -> Option<String> {
        let output = service(&["missing", kind]).output().unwrap();
        let why = String::from_utf8(output.stdout).unwrap();
        (!why.is_empty()).then(|| why.trim_end().to_owned())
    }

    /// Where it listens: the same after each start. Those of a cluster have commas between them.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills it as a crash does. What it had answered is not lost.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`kill`](Self::kill), and waits until it answers.
    pub fn restart(&mut self) {
        let (child, url) = run(self.kind, &self.folder, self.options);
        self.child = child;
        assert_eq!(url, self.url);
    }

    /// Stops all of its processes where they are: it answers nothing then, and refuses nothing.
    pub fn freeze(&self) {
        // Twice, since it may have begun one meanwhile.
        signal("STOP", &family(self.child.id()));
        signal("STOP", &family(self.child.id()));
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        signal("CONT", &family(self.child.id()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw(); // or it would notice nothing
        drop(self.child.stdin.take()); // with which it ends
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a cluster of nodes that are new.
pub fn join(nodes: &[Server]) {
    let urls: Vec<_> = nodes.iter().map(Server::url).collect();
    assert!(service(&["join"]).args(urls).status().unwrap().success());
}

fn run(kind: &str, folder: &Path, options: &[&str]) -> (Child, String) {
    let mut command = service(&["run", kind]);
    command.arg(folder).args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    assert!(url.ends_with('\n'), "{kind} does not start; it has said why");
    (child, url.trim_end().to_owned())
}

fn service(arguments: &[&str]) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/service"));
    command.args(arguments);
    command
}

/// A process with its children and theirs.
fn family(pid: u32) -> Vec<u32> {
    let all = parents();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(all.iter().filter(|(_, its)| *its == parent).map(|(child, _)| *child));
        next += 1;
    }
    family
}

/// Every process with its parent, as Linux tells it.
fn parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter_map(|name| {
            let pid = name.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name of the program, in parentheses, may hold anything.
            let after = stat.rsplit_once(')')?.1;
            Some((pid, after.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect()
}

fn signal(name: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    // Some may be gone by then, of which it complains.
    Command::new("kill").args(["-s", name]).args(pids).stderr(Stdio::null()).status().unwrap();
}
