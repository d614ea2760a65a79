use std::path::PathBuf;

use portcullis::store::SqliteStore;

use super::{Filled, Place, Size, columns, unique_name, users};

pub const PLACE: Place = Place {
    name: "SQLite",
    url: None,
    is_in_process: false,
    swept: 1_000_000,
    fill: |size| Box::pin(fill(size)),
};

/// One JSON text of rows.
const INSERT: &str = r#"insert into sessions ("sessionToken", "userId", expires, created, last_seen)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3 from json_each(?)"#;

async fn fill(size: Size) -> Filled {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique_name());
    std::fs::create_dir(&folder).unwrap();
    let url = format!("sqlite://{}", folder.join("auth.db").display());
    let store = SqliteStore::connect(&url).await.unwrap();
    let users = users(&store).await;
    for columns in columns(size, &users) {
        let rows: Vec<_> = (0..columns.keys.len())
            .map(|row| (&columns.keys[row], &columns.users[row], columns.expires[row], columns.created[row]))
            .collect();
        let rows = serde_json::to_string(&rows).unwrap();
        sqlx::query(INSERT).bind(rows).execute(store.pool()).await.unwrap();
    }
    sqlx::query("pragma wal_checkpoint(truncate)").execute(store.pool()).await.unwrap();
    let pool = store.pool().clone();
    Filled::new(store, async move {
        pool.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    })
}
