//! Stores that go away under load and come back: S27 at 200 requests a second, over real sockets, with real servers.
//!
//! Each test starts a database server of its own, and a site that keeps its sessions there. While requests arrive
//! on schedule, whatever has become of the earlier ones, the server is killed and started again, is frozen, or
//! becomes slow. Every answer is judged: the right user, or that it cannot be known just now; never nobody, never
//! somebody else, never later than the time limit. The numbers are printed, in a line that begins with `OUTAGE`.
//!
//! On a busy machine everything is late, the tests as well. How late is measured in the same run (`report::Strain`), and
//! allowed for; a wrong answer, or a session that is not what it should be when all is over, never is.
//!
//! That this would be noticed is shown by servers that are wrong on purpose (`lies`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod answer;
#[path = "../compositions/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
#[path = "../database/gate.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod gate;
mod lies;
mod load;
mod memory;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod report;
mod scenario;
#[path = "../compositions/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis"))]
#[path = "../services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
mod site;
#[cfg(feature = "sqlite")]
mod sqlite;
#[path = "../database/site.rs"]
#[allow(dead_code, unused_imports, reason = "other tests use the rest")]
mod stored;
#[path = "../api/support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;
mod visitor;
