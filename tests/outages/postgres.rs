//! PostgreSQL goes away, hangs, throws its clients out, is slow, has no connection left. S27.

use std::{sync::Arc, time::Duration};

use portcullis::store::{PostgresStore, SqlOptions};
use sqlx::{Connection as _, PgConnection, raw_sql};
use tokio::time::sleep;

use crate::{
    scenario::{AWAY, Calm, RECOVERY, suffer, suffer_at},
    services::Server,
    site::site,
};

/// The connections whose calls were given up are of use again only when the server has answered those.
const THAWED: Duration = Duration::from_secs(5);

async fn store(server: &Server) -> PostgresStore {
    PostgresStore::connect(server.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_killed_and_started_again() {
    let Some(mut server) = Server::start("postgres") else { return };
    let store = Arc::new(store(&server).await);
    let report = suffer("PostgreSQL, killed and started again", store, async || {
        server.kill();
        sleep(AWAY).await;
        server.restart();
    });
    report.await.expect_notice(RECOVERY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_frozen() {
    let Some(server) = Server::start("postgres") else { return };
    let store = Arc::new(store(&server).await);
    let calm = Calm { after: THAWED + Duration::from_secs(1), ..Calm::default() };
    let report = suffer_at("PostgreSQL, frozen", site(store), calm, async || {
        server.freeze();
        sleep(AWAY).await;
        server.thaw();
    });
    report.await.expect_notice(THAWED);
}

/// Every connection is closed by the server, twenty times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_connections_closed() {
    let Some(server) = Server::start("postgres") else { return };
    let store = Arc::new(store(&server).await);
    let mut operator = PgConnection::connect(server.url()).await.unwrap();
    let report = suffer("PostgreSQL, connections closed", store, async || {
        for _ in 0..20 {
            close_others(&mut operator).await;
            sleep(AWAY / 20).await;
        }
    });
    let report = report.await;
    report.expect(RECOVERY);
    let felt = report.unexcused(|_| true).count();
    assert!(report.right_meanwhile() > felt || report.strain.is_severe(), "{report}");
}

/// Statements wait for a lock that somebody else holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_slow() {
    let Some(server) = Server::start("postgres") else { return };
    let store = Arc::new(store(&server).await);
    let mut other = PgConnection::connect(server.url()).await.unwrap();
    let report = suffer("PostgreSQL, its sessions locked", store, async || {
        raw_sql("begin; lock table sessions").execute(&mut other).await.unwrap();
        sleep(AWAY).await;
        raw_sql("commit").execute(&mut other).await.unwrap();
    });
    report.await.expect_notice(RECOVERY);
}

/// The pool is the application's as well, which keeps all of its connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_pool_exhausted() {
    let Some(server) = Server::start("postgres") else { return };
    let options = SqlOptions::new().max_connections(2);
    let store = PostgresStore::connect_with(server.url(), options).await.unwrap();
    let pool = store.pool().clone();
    let report = suffer("PostgreSQL, both connections of the pool taken", Arc::new(store), async || {
        let _both = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        sleep(AWAY).await;
    });
    report.await.expect_notice(RECOVERY);
}

/// The server takes no more connections: others have them all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_connections_refused() {
    let Some(server) = Server::start_with("postgres", &["-c", "max_connections=14"]) else { return };
    let store = Arc::new(store(&server).await);
    let mut operator = PgConnection::connect(server.url()).await.unwrap();
    let report = suffer("PostgreSQL, too many connections", store, async || {
        let mut others = Vec::new();
        while others.len() < 13 {
            close_those_of_the_store(&mut operator).await;
            others.extend(PgConnection::connect(server.url()).await.ok());
        }
        sleep(AWAY).await;
    });
    report.await.expect_notice(RECOVERY);
}

async fn close_others(operator: &mut PgConnection) {
    let statement = "select pg_terminate_backend(pid) from pg_stat_activity \
                     where backend_type = 'client backend' and pid <> pg_backend_pid()";
    raw_sql(statement).execute(operator).await.unwrap();
}

/// Those that have asked for a session, as the operator and the others have not.
async fn close_those_of_the_store(operator: &mut PgConnection) {
    let statement = "select pg_terminate_backend(pid) from pg_stat_activity \
                     where backend_type = 'client backend' and pid <> pg_backend_pid() and query <> ''";
    raw_sql(statement).execute(operator).await.unwrap();
}
