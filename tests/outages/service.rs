//! A database server of the test's own, by `scripts/service`: it can be killed, started again with what it had
//! stored, and frozen.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command as AsyncCommand},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/service");

/// It ends when this is dropped, and when the test ends, however that comes about.
#[derive(Debug)]
pub struct Service {
    kind: &'static str,
    /// More for the server's command line.
    options: &'static [&'static str],
    folder: PathBuf,
    script: Option<Child>,
    pub url: String,
}

impl Service {
    /// `None`, said aloud, if this kind of server is not installed.
    pub async fn start(kind: &'static str) -> Option<Self> {
        Self::start_with(kind, &[]).await
    }

    pub async fn start_with(kind: &'static str, options: &'static [&'static str]) -> Option<Self> {
        let why = text(Command::new(SCRIPT).args(["missing", kind]).output().unwrap());
        if !why.is_empty() {
            assert!(std::env::var("PORTCULLIS_REQUIRE_SERVICES").as_deref() != Ok("1"), "{why}");
            writeln!(std::io::stderr(), "LEFT OUT: no outage of {kind}: {why}").unwrap();
            return None;
        }
        let own = std::process::id().to_string();
        let folder = text(Command::new(SCRIPT).args(["folder", &own]).output().unwrap()).into();
        let mut service = Self { kind, options, folder, script: None, url: String::new() };
        service.run().await;
        Some(service)
    }

    /// Kills the server and all of its processes at once, as a crash does.
    pub async fn kill(&mut self) {
        signal("KILL", &self.processes());
        self.script.take().unwrap().wait().await.unwrap();
    }

    /// With its data and at its address, after it was killed. It answers when this is over.
    pub async fn run(&mut self) {
        let mut script = AsyncCommand::new(SCRIPT)
            .args(["run", self.kind])
            .arg(self.folder.join("server"))
            .args(self.options)
            .stdin(Stdio::piped()) // it stops when its input ends
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("{} does not start", self.kind));
        assert!(self.url.is_empty() || self.url == url, "{} is {url} now", self.url);
        (self.url, self.script) = (url, Some(script));
    }

    /// From now on it answers nothing, and refuses nothing.
    pub fn freeze(&self) {
        signal("STOP", &self.processes());
        // Those that it had begun meanwhile.
        signal("STOP", &self.processes());
    }

    pub fn thaw(&self) {
        signal("CONT", &self.processes());
    }

    /// The script and everything that it has started.
    fn processes(&self) -> Vec<u32> {
        let mut family = vec![self.script.as_ref().and_then(Child::id).expect("it runs")];
        let all = parents();
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            family.extend(all.iter().filter(|(_, its)| *its == parent).map(|(child, _)| *child));
            next += 1;
        }
        assert!(family.len() > 1, "{} has processes", self.kind);
        family
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A frozen one would not notice its end. With the script ends the server.
        if self.script.is_some() {
            signal("KILL", &self.processes());
        }
        // What is left is removed when the next one asks for a folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = entries.filter_map(|name| name.parse().ok());
    pids.filter_map(|pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program, in parentheses, may hold anything.
        let after = stat.rsplit_once(')')?.1;
        Some((pid, after.split_whitespace().nth(1)?.parse().ok()?))
    })
    .collect()
}

fn signal(name: &str, pids: &[u32]) {
    // Some may be gone by then.
    let pids = pids.iter().map(u32::to_string);
    let _ = Command::new("kill").args(["-s", name]).args(pids).stderr(Stdio::null()).status().unwrap();
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
