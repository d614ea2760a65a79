//! Somebody else keeps SQLite's file from being written to. S27.

use std::{fs, path::PathBuf, sync::Arc};

use portcullis::store::SqliteStore;
use sqlx::{Connection as _, SqliteConnection, raw_sql};
use tokio::time::sleep;

use crate::{
    load::Kind,
    scenario::{AWAY, RECOVERY, suffer},
};

/// A file in a folder of its own, which goes when this is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let folder = format!("{}/outages-{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        fs::create_dir_all(&folder).unwrap();
        Self(folder.into())
    }

    fn url(&self) -> String {
        format!("sqlite://{}/auth.db", self.0.display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whoever is signed in stays so; nobody can sign in or out meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_locked_against_writes() {
    let file = File::new("locked");
    let store = Arc::new(SqliteStore::connect(&file.url()).await.unwrap());
    let mut other = SqliteConnection::connect(&file.url()).await.unwrap();
    let report = suffer("SQLite, locked against writes", store, async || {
        raw_sql("begin exclusive").execute(&mut other).await.unwrap();
        sleep(AWAY).await;
        raw_sql("commit").execute(&mut other).await.unwrap();
    });
    let report = report.await;
    report.expect_notice(RECOVERY);
    let reads = report.unexcused(|kind| matches!(kind, Kind::Page | Kind::Session));
    assert_eq!(reads.count(), 0, "reads go on: {report}");
}
