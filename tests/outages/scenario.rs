//! How each run goes: all is well, then something breaks and is mended, then all is well again.

use std::{sync::Arc, time::Duration};

use portcullis::store::Store;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use crate::{
    load::Load,
    report::{Report, Strain},
    site::{Site, serve, site},
    visitor::Visitor,
};

/// How long servers are away.
pub const AWAY: Duration = Duration::from_secs(3);
/// How long after a server is back requests may still be told that it is not.
pub const RECOVERY: Duration = Duration::from_secs(2);

/// The times at which nothing is broken.
#[derive(Debug, Clone, Copy)]
pub struct Calm {
    pub before: Duration,
    pub after: Duration,
}

impl Default for Calm {
    fn default() -> Self {
        Self { before: Duration::from_secs(1), after: RECOVERY + Duration::from_secs(1) }
    }
}

/// A site with this store under load, while `outage` breaks something and mends it again.
pub async fn suffer(name: &'static str, store: Arc<dyn Store>, outage: impl AsyncFnOnce()) -> Report {
    suffer_at(name, site(store), Calm::default(), outage).await
}

pub async fn suffer_at(name: &'static str, site: Site, calm: Calm, outage: impl AsyncFnOnce()) -> Report {
    let load = Load::prepare(Visitor::at(serve(site)).await).await;
    let (stop, stopped) = oneshot::channel();
    // Beside this task, which may wait for processes without a thought for others.
    let records = tokio::spawn(Arc::clone(&load).run(stopped));
    let begun = Instant::now();
    sleep(calm.before).await;
    let broken = Instant::now();
    outage().await;
    let back = Instant::now();
    sleep(calm.after).await;
    // Where the machine is late, so is the end of the outage; how late it may be is for the report to say.
    while !load.is_well_since(back) && back.elapsed() < calm.after + load.strain(broken).grace() {
        sleep(Duration::from_millis(50)).await;
    }
    let finished = Instant::now();
    drop(stop);
    let records = records.await.unwrap();
    let strain = Strain::of(&records, load.late(), broken);
    let afterwards = load.look_back(strain.grace()).await;
    Report { name, begun, broken, back, finished, records, strain, afterwards }
}
