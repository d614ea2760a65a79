//! What a store needs in order to be tested here.

use std::sync::Arc;

use portcullis::store::{RevocationStore, Store, conformance::Conformance};

/// A store that keeps everything.
pub trait Everything: Store + RevocationStore {}

impl<S: Store + RevocationStore> Everything for S {}

/// A kind of store, and where to find one.
pub trait Backend {
    /// How it is called in messages, and by the processes that share one.
    const NAME: &str;

    /// A place of its own for one test, as text by which another process finds it, too. `None` if there is none
    /// to be had, which is said aloud.
    async fn place() -> Option<String>;

    /// The store at this place, ready for use.
    async fn open(place: &str) -> Arc<dyn Everything>;

    /// Clears up.
    async fn remove(_place: &str) {}

    /// What of the contract it has a place for.
    fn conformance(store: Arc<dyn Everything>) -> Conformance {
        Conformance::of(store.clone()).and_revocations(store)
    }
}

/// Every promise, on a new place and on one that holds what the first run left.
pub async fn keeps_its_promises<B: Backend>() {
    let Some(place) = B::place().await else { return };
    let store = B::open(&place).await;
    for _ in 0..2 {
        B::conformance(store.clone()).run().await.assert();
    }
    drop(store);
    B::remove(&place).await;
}

/// The table of stores: the name of the file, with a gate if it has one. Stores that several processes can share
/// say so.
macro_rules! stores {
    ($($(#[$gate:meta])* $name:ident $($shared:ident)?,)+) => {
        $($(#[$gate])* mod $name;)+

        mod promises {
            $($(#[$gate])* #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $crate::backend::keeps_its_promises::<$crate::$name::Fixture>().await;
            })+
        }

        $crate::processes::races! { $($(#[$gate])* $name $($shared)?,)+ }
    };
}

pub(crate) use stores;
