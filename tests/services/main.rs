//! `scripts/service` and `scripts/with-services`, on which the tests with databases rely.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod server;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use server::Server;

const WITH_SERVICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/with-services");

fn address(url: &str) -> &str {
    url.strip_prefix("redis://").unwrap()
}

/// What the Redis server there answers.
fn ask(url: &str, command: &str) -> String {
    let mut stream = TcpStream::connect(address(url)).unwrap();
    write!(stream, "{command}\r\nQUIT\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.strip_suffix("+OK\r\n").unwrap().to_owned()
}

/// Waits until nobody listens there.
fn gone(url: &str) {
    for _ in 0..400 {
        if TcpStream::connect(address(url)).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(25)); // of a process that ends; no event tells of it
    }
    panic!("{url} still answers");
}

/// A command beside a Redis server, which has said where that is and now waits for its input to end.
fn beside_redis(script: &str) -> (Child, String) {
    let mut child = Command::new(WITH_SERVICES)
        .args(["--only", "redis", "sh", "-c", &format!("echo $TEST_REDIS_URL; {script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    (child, url.trim().to_owned())
}

fn left_out() -> bool {
    Server::missing("redis").is_some_and(|why| {
        server::left_out(&why);
        true
    })
}

#[test]
fn a_killed_server_comes_back_where_it_was_with_what_it_had() {
    let Some(mut server) = Server::start("redis") else { return };
    let url = server.url().to_owned();
    assert_eq!(ask(&url, "SET name value"), "+OK\r\n");
    server.kill();
    gone(&url);
    server.restart();
    assert_eq!(server.url(), url);
    assert_eq!(ask(&url, "GET name"), "$5\r\nvalue\r\n");
    drop(server);
    gone(&url);
}

#[test]
fn the_status_is_the_commands_and_the_server_ends_with_it() {
    if left_out() {
        return;
    }
    let (mut child, url) = beside_redis("cat >/dev/null; exit 7");
    assert_eq!(ask(&url, "PING"), "+PONG\r\n");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(7));
    gone(&url);
}

#[test]
fn a_signal_ends_the_command_and_the_server() {
    if left_out() {
        return;
    }
    let (mut child, url) = beside_redis("cat >/dev/null");
    let sent = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    gone(&url);
}

#[test]
fn a_kill_ends_the_server_too_and_the_next_run_clears_up() {
    if left_out() {
        return;
    }
    let (mut child, url) = beside_redis("cat >/dev/null");
    child.kill().unwrap();
    child.wait().unwrap();
    gone(&url);
    let folder = server::folder();
    let left = |entry: fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with(&format!("services.{}.", child.id()))
    };
    let beside = folder.parent().unwrap();
    assert!(!fs::read_dir(beside).unwrap().any(|entry| left(entry.unwrap())));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_command_that_is_killed_leaves_no_server() {
    if left_out() {
        return;
    }
    let (mut child, url) = beside_redis("kill -s KILL $$");
    assert_eq!(child.wait().unwrap().code(), Some(137));
    gone(&url);
}
