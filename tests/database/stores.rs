//! The stores that a test runs on: a new place for each test, as `tests/stores` opens it.

use std::sync::Arc;

use portcullis::store::Store;

use crate::backend::Backend;

/// Makes a test of each of these functions on each store there is: `async fn name(store: Arc<dyn Store>)`.
macro_rules! on_each_store {
    ($($test:ident),* $(,)?) => {
        $crate::stores::on_each_store! { @in memory [$($test)*] }
        #[cfg(feature = "sqlite")]
        $crate::stores::on_each_store! { @in sqlite [$($test)*] }
        #[cfg(feature = "postgres")]
        $crate::stores::on_each_store! { @in postgres [$($test)*] }
        #[cfg(feature = "mysql")]
        $crate::stores::on_each_store! { @in mysql [$($test)*] }
        #[cfg(feature = "redis")]
        $crate::stores::on_each_store! { @in redis [$($test)*] }
        #[cfg(feature = "redis")]
        $crate::stores::on_each_store! { @in redis_cluster [$($test)*] }
    };
    (@in $store:ident [$($test:ident)*]) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    $crate::stores::at::<$crate::$store::Fixture>(super::$test).await;
                }
            )*
        }
    };
}
pub(crate) use on_each_store;

/// Runs a test at a place of its own.
pub async fn at<B: Backend>(test: impl AsyncFnOnce(Arc<dyn Store>)) {
    let Some(place) = B::place().await else { return };
    test(Arc::new(B::open(&place).await)).await;
    B::remove(&place).await;
}
