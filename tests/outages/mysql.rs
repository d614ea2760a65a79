//! MariaDB goes away, hangs, is slow. S27.

use std::sync::Arc;

use portcullis::store::MySqlStore;
use sqlx::{Connection as _, MySqlConnection, raw_sql};
use tokio::time::sleep;

use crate::{
    scenario::{AWAY, RECOVERY, suffer},
    services::Server,
};

async fn store(server: &Server) -> Arc<MySqlStore> {
    Arc::new(MySqlStore::connect(server.url()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_killed_and_started_again() {
    let Some(mut server) = Server::start("mariadb") else { return };
    let report = suffer("MariaDB, killed and started again", store(&server).await, async || {
        server.kill();
        sleep(AWAY).await;
        server.restart();
    });
    report.await.expect_notice(RECOVERY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_frozen() {
    let Some(server) = Server::start("mariadb") else { return };
    let report = suffer("MariaDB, frozen", store(&server).await, async || {
        server.freeze();
        sleep(AWAY).await;
        server.thaw();
    });
    report.await.expect_notice(RECOVERY);
}

/// Statements wait for a lock that somebody else holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_slow() {
    let Some(server) = Server::start("mariadb") else { return };
    let mut other = MySqlConnection::connect(server.url()).await.unwrap();
    let report = suffer("MariaDB, its sessions locked", store(&server).await, async || {
        raw_sql("lock tables sessions write").execute(&mut other).await.unwrap();
        sleep(AWAY).await;
        raw_sql("unlock tables").execute(&mut other).await.unwrap();
    });
    report.await.expect_notice(RECOVERY);
}
