use futures_util::{StreamExt, stream};
use portcullis::store::{RedisStore, SessionStore};

use super::{Filled, Place, Size, sessions, unique_name, users};

const URL: &str = "TEST_REDIS_URL";

pub const PLACE: Place = Place {
    name: "Redis",
    url: Some(URL),
    is_in_process: false,
    // The sessions go by themselves; what is swept is what the indexes know of them.
    swept: 100_000,
    fill: |size| Box::pin(fill(size)),
};

/// So many are on their way at once, on one connection.
const AT_ONCE: usize = 256;

async fn fill(size: Size) -> Filled {
    let (url, namespace) = (std::env::var(URL).unwrap(), unique_name());
    let store = RedisStore::connect(&url).await.unwrap().namespace(&namespace);
    let users = users(&store).await;
    let (store_ref, sessions) = (&store, sessions(size, &users));
    stream::iter(sessions)
        .map(|session| async move { store_ref.create_session(&session, None).await.unwrap() })
        .buffer_unordered(AT_ONCE)
        .for_each(async |()| {})
        .await;
    Filled::new(store, empty(url, namespace))
}

async fn empty(url: String, namespace: String) {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{namespace}*")).arg("COUNT").arg(10_000);
        let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await.unwrap();
        if !keys.is_empty() {
            let () = redis::cmd("UNLINK").arg(keys).query_async(&mut connection).await.unwrap();
        }
        cursor = next;
        if cursor == 0 {
            return;
        }
    }
}
