//! The stores that a test runs on: a new place for each test, as `tests/stores` opens it.

use std::sync::Arc;

use portcullis::store::Store;

use crate::backend::Backend;

/// Makes a test of each of these functions on each store there is: `async fn name(store: Arc<dyn Store>)`.
macro_rules! on_each_store {
    ($($test:ident),* $(,)?) => {
        $crate::stores::on_each_store! { @with at [$($test)*] }
    };
    (@with $at:ident $tests:tt) => {
        $crate::stores::on_each_store! { @in memory $at $tests }
        #[cfg(feature = "sqlite")]
        $crate::stores::on_each_store! { @in sqlite $at $tests }
        #[cfg(feature = "postgres")]
        $crate::stores::on_each_store! { @in postgres $at $tests }
        #[cfg(feature = "mysql")]
        $crate::stores::on_each_store! { @in mysql $at $tests }
        #[cfg(feature = "redis")]
        $crate::stores::on_each_store! { @in redis $at $tests }
        #[cfg(feature = "redis")]
        $crate::stores::on_each_store! { @in redis_cluster $at $tests }
    };
    (@in $store:ident $at:ident [$($test:ident)*]) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    $crate::stores::$at::<$crate::$store::Fixture>(super::$test).await;
                }
            )*
        }
    };
}
pub(crate) use on_each_store;

/// The same with two places of each kind, such as two prefixes in one database:
/// `async fn name(stores: [Arc<dyn Store>; 2])`.
macro_rules! on_each_two_stores {
    ($($test:ident),* $(,)?) => {
        $crate::stores::on_each_store! { @with at_two [$($test)*] }
    };
}
pub(crate) use on_each_two_stores;

/// Runs a test at a place of its own.
pub async fn at<B: Backend>(test: impl AsyncFnOnce(Arc<dyn Store>)) {
    let Some(place) = B::place().await else { return };
    test(Arc::new(B::open(&place).await)).await;
    B::remove(&place).await;
}

/// Runs a test at two places of its own.
pub async fn at_two<B: Backend>(test: impl AsyncFnOnce([Arc<dyn Store>; 2])) {
    let Some(one) = B::place().await else { return };
    at::<B>(async |other| test([Arc::new(B::open(&one).await), other]).await).await;
    B::remove(&one).await;
}
