//! Time that passes when a test says so, and wakes whoever waits for it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portcullis::Clock;
use tokio::sync::watch;

use crate::support::NOW;

#[derive(Debug, Clone)]
pub struct Time(Arc<watch::Sender<i64>>);

impl Time {
    pub fn at_noon() -> Self {
        Self(Arc::new(watch::Sender::new(NOW)))
    }

    pub fn now(&self) -> i64 {
        *self.0.borrow()
    }

    pub fn pass(&self, seconds: i64) {
        self.0.send_modify(|now| *now += seconds);
    }
}

impl Clock for Time {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now() as u64)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let end = self.now() + duration.as_secs() as i64;
        let mut time = self.0.subscribe();
        Box::pin(async move {
            // It ends with the test, if not before.
            let _ = time.wait_for(|now| *now >= end).await;
        })
    }
}
