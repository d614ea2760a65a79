use std::sync::Arc;

use super::{MemoryStore, Result, Store, StoreError};

/// The store of this URL, by what it begins with: for applications whose database is a setting.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory:` | [`MemoryStore`] | |
/// | `sqlite:` | `SqliteStore` | `sqlite` |
/// | `postgres:`, `postgresql:` | `PostgresStore` | `postgres` |
/// | `mysql:`, `mariadb:` | `MySqlStore` | `mysql` |
/// | `redis:`, `rediss:`, `redis+cluster:`, `rediss+cluster:` | `RedisStore` | `redis` |
///
/// ```
/// use portcullis::store::{self, StoreError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let store = store::connect("memory:").await?;
/// assert!(store.user_by_email("jsmith@example.com").await?.is_none());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Configuration`](super::StoreErrorKind::Configuration) if nothing is known under such a URL, or the crate was built
/// without the feature for it; what the store itself answers otherwise.
pub async fn connect(url: &str) -> Result<Arc<dyn Store>> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "memory" => Ok(Arc::new(MemoryStore::new())),
        "sqlite" => sqlite(url).await,
        "postgres" | "postgresql" => postgres(url).await,
        "mysql" | "mariadb" => mysql(url).await,
        "redis" | "rediss" | "redis+cluster" | "rediss+cluster" => redis(url).await,
        // Without the URL: it may hold a password.
        _ => Err(StoreError::configuration(
            "no store is known for such a URL: it begins with memory:, sqlite:, postgres:, mysql: or redis:",
        )),
    }
}

/// A store by its feature; without it, what to do.
macro_rules! by_feature {
    ($name:ident, $feature:literal, $store:ident) => {
        #[cfg(feature = $feature)]
        async fn $name(url: &str) -> Result<Arc<dyn Store>> {
            Ok(Arc::new(super::$store::connect(url).await?))
        }

        #[cfg(not(feature = $feature))]
        async fn $name(_: &str) -> Result<Arc<dyn Store>> {
            Err(StoreError::configuration(concat!(
                "portcullis was built without the feature `",
                $feature,
                "`, which this URL needs: add it to `features` in Cargo.toml"
            )))
        }
    };
}

by_feature!(sqlite, "sqlite", SqliteStore);
by_feature!(postgres, "postgres", PostgresStore);
by_feature!(mysql, "mysql", MySqlStore);
by_feature!(redis, "redis", RedisStore);
