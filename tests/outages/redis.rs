//! Redis goes away and hangs: one server, and a node of a cluster. S27.

use std::{sync::Arc, time::Duration};

use portcullis::store::RedisStore;
use tokio::time::sleep;

use crate::{
    scenario::{AWAY, Calm, RECOVERY, suffer, suffer_at},
    services::{self, Server},
    site::site,
};

/// A master that begins again refuses writes for two seconds, so that the others can tell it what it has missed.
const CLUSTER_RECOVERY: Duration = Duration::from_secs(5);

async fn store(server: &Server) -> Arc<RedisStore> {
    Arc::new(RedisStore::connect(server.url()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_killed_and_started_again() {
    let Some(mut server) = Server::start("redis") else { return };
    let report = suffer("Redis, killed and started again", store(&server).await, async || {
        server.kill();
        sleep(AWAY).await;
        server.restart();
    });
    report.await.expect_notice(RECOVERY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_frozen() {
    let Some(server) = Server::start("redis") else { return };
    let report = suffer("Redis, frozen", store(&server).await, async || {
        server.freeze();
        sleep(AWAY).await;
        server.thaw();
    });
    report.await.expect_notice(RECOVERY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_a_node_of_a_cluster_killed_and_started_again() {
    cluster("Redis cluster, one of three nodes killed and started again", async |node| {
        node.kill();
        sleep(AWAY).await;
        node.restart();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_a_node_of_a_cluster_frozen() {
    cluster("Redis cluster, one of three nodes frozen", async |node| {
        node.freeze();
        sleep(AWAY).await;
        node.thaw();
    })
    .await;
}

async fn cluster(name: &'static str, outage: impl AsyncFnOnce(&mut Server)) {
    let nodes: Option<Vec<_>> = (0..3).map(|_| Server::start("redis-node")).collect();
    let Some(mut nodes) = nodes else { return };
    services::join(&nodes);
    let store = RedisStore::connect_cluster(nodes.iter().map(Server::url)).await.unwrap();
    let calm = Calm { after: CLUSTER_RECOVERY + Duration::from_secs(1), ..Calm::default() };
    let report = suffer_at(name, site(Arc::new(store)), calm, async || outage(&mut nodes[1]).await).await;
    report.expect_notice(CLUSTER_RECOVERY);
    assert!(report.right_meanwhile() > 0 || report.strain.is_severe(), "the other nodes go on: {report}");
}
