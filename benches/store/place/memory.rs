use std::num::NonZeroUsize;

use portcullis::store::{MemoryStore, SessionStore};

use super::{Filled, Place, Size, USERS, sessions, users};

pub const PLACE: Place = Place {
    name: "memory",
    url: None,
    is_in_process: true,
    swept: 1_000_000,
    fill: |size| Box::pin(fill(size)),
};

async fn fill(size: Size) -> Filled {
    let capacity = NonZeroUsize::new(USERS + size.live + size.expired).unwrap();
    let store = MemoryStore::with_capacity(capacity);
    let users = users(&store).await;
    for session in sessions(size, &users) {
        store.create_session(&session, None).await.unwrap();
    }
    Filled::new(store, async {})
}
