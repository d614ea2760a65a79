//! The stores that a test runs on: a new one for each test, empty.

use std::sync::Arc;

use portcullis::store::{MemoryStore, Store};

/// Makes a test of each of these functions on each store there is: `fn name(store: Arc<dyn Store>)`.
macro_rules! on_each_store {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(crate::stores::memory()).await;
                }
            )*
        }
    };
}
pub(crate) use on_each_store;

pub fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}
