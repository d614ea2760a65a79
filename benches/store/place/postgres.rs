use portcullis::store::PostgresStore;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Filled, Place, Size, columns, unique_name, users};

const URL: &str = "TEST_POSTGRES_URL";

pub const PLACE: Place = Place {
    name: "PostgreSQL",
    url: Some(URL),
    is_in_process: false,
    swept: 1_000_000,
    fill: |size| Box::pin(fill(size)),
};

/// A column of keys, of users, of ends and of beginnings.
const INSERT: &str = r#"insert into sessions ("sessionToken", "userId", expires, created, last_seen)
    select key, owner, to_timestamp(ends / 1000.0), to_timestamp(begun / 1000.0), to_timestamp(begun / 1000.0)
    from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as row (key, owner, ends, begun)"#;

async fn fill(size: Size) -> Filled {
    let (server, database) = (std::env::var(URL).unwrap(), unique_name());
    run(&server, format!("create database {database}")).await;
    let (address, _) = server.rsplit_once('/').unwrap();
    let store = PostgresStore::connect(&format!("{address}/{database}")).await.unwrap();
    let users = users(&store).await;
    for columns in columns(size, &users) {
        let query = sqlx::query(INSERT).bind(columns.keys).bind(columns.users);
        query.bind(columns.expires).bind(columns.created).execute(store.pool()).await.unwrap();
    }
    // As the server does by itself some time later.
    sqlx::query("vacuum analyze").execute(store.pool()).await.unwrap();
    let pool = store.pool().clone();
    Filled::new(store, async move {
        pool.close().await;
        run(&server, format!("drop database {database}")).await;
    })
}

async fn run(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
