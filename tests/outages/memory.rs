//! The store in memory behind a gate: what holds for any store, as far as it is ours to see to.

use std::sync::Arc;

use portcullis::store::{MemoryStore, Store};
use tokio::time::sleep;

use crate::{
    scenario::{AWAY, RECOVERY, suffer},
    stored::Gate,
};

fn gate() -> (Gate, Arc<dyn Store>) {
    let gate = Gate::new(Arc::new(MemoryStore::new()));
    (gate.clone(), Arc::new(gate))
}

/// S27: a store that fails signs nobody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_failing() {
    let (gate, store) = gate();
    let report = suffer("memory, failing", store, async || {
        gate.fail();
        sleep(AWAY).await;
        gate.open();
    });
    let report = report.await;
    report.expect_notice(RECOVERY);
    assert_eq!(report.right_meanwhile(), 0, "{report}");
}

/// S27: nor one that hangs, which is given up in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s27_hanging() {
    let (gate, store) = gate();
    let report = suffer("memory, hanging", store, async || {
        gate.hang();
        sleep(AWAY).await;
        gate.open();
    });
    let report = report.await;
    report.expect_notice(RECOVERY);
}
