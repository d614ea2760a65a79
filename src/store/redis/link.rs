//! The connection to a single server or to a cluster, and what its errors come to.

use std::{fmt, time::Duration};

use ::redis::{
    Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult,
    ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    io::tcp::TcpSettings,
};

use super::{cluster::Cluster, script::Call};
use crate::store::{Result, StoreError};

/// How long it may take to connect, and how long to get an answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Clones share the connection.
#[derive(Clone)]
pub(super) enum Link {
    Single(ConnectionManager),
    Cluster(Cluster),
}

impl Link {
    pub(super) async fn single(url: &str) -> Result<Self> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            // Each command that finds no connection has one made, so pauses in between would only keep
            // commands waiting while the server is away, and longer than that once it is back.
            .set_number_of_retries(0);
        let client = Client::open(node(url)?).map_err(store_error)?;
        Ok(Self::Single(ConnectionManager::new_with_config(client, config).await.map_err(store_error)?))
    }

    pub(super) async fn cluster<'a>(urls: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let nodes: Vec<_> = urls.into_iter().map(node).collect::<Result<_>>()?;
        let client = ClusterClient::builder(nodes)
            .connection_timeout(TIMEOUT)
            // For all attempts together.
            .response_timeout(TIMEOUT)
            // Enough to be sent on to another node. Each retry has the whole cluster asked who has what: with the
            // usual sixteen, the calls for a node that is down keep all others waiting.
            .retries(3)
            .min_retry_wait(20)
            .max_retry_wait(400)
            .tcp_settings(tcp())
            .build()
            .map_err(store_error)?;
        Ok(Self::Cluster(Cluster::connect(client).await.map_err(store_error)?))
    }

    /// Sends a command.
    pub(super) async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        self.attempt(command).await.map_err(store_error)
    }

    /// Sends a command that only reads, once more if it found that the connection was lost.
    pub(super) async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        match self.attempt(command).await {
            Err(error) if error.is_connection_dropped() => self.send(command).await,
            answer => answer.map_err(store_error),
        }
    }

    /// Runs a script, sending all of it where it is not known.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &Call) -> Result<T> {
        self.try_script(script).await.map_err(store_error)
    }

    /// Runs a script that only reads, once more if it found that the connection was lost.
    pub(super) async fn run_reading<T: FromRedisValue>(&self, script: &Call) -> Result<T> {
        match self.try_script(script).await {
            Err(error) if error.is_connection_dropped() => self.run(script).await,
            answer => answer.map_err(store_error),
        }
    }

    async fn attempt<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        match self.clone() {
            Self::Single(mut connection) => command.query_async(&mut connection).await,
            Self::Cluster(cluster) => {
                cluster.call(async |mut connection| command.query_async(&mut connection).await).await
            }
        }
    }

    async fn try_script<T: FromRedisValue>(&self, script: &Call) -> RedisResult<T> {
        match self.attempt(&script.by_name()).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.attempt(&script.by_text()).await
            }
            answer => answer,
        }
    }
}

/// Without the addresses and the password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single(_) => "Single",
            Self::Cluster(_) => "Cluster",
        })
    }
}

fn node(url: &str) -> Result<ConnectionInfo> {
    // The crate `redis` takes the process's provider of cryptography, and panics if there is none.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever was faster has set one, which is as good.
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let info = url.into_connection_info().map_err(|_| {
        StoreError::configuration(
            "the URL of the Redis cannot be read: write redis://user:password@host:6379/database, or rediss:// for TLS, \
             with %40 for an @ in the password, and %2F for a /",
        )
    })?;
    Ok(info.set_tcp_settings(tcp()))
}

/// Without the limit, a connection that was lost without a word is used for a quarter of an hour.
fn tcp() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(TIMEOUT);
    settings
}

pub(super) fn store_error(error: RedisError) -> StoreError {
    let code = error.code().unwrap_or_default().to_owned();
    let text = match error.kind() {
        // These may quote what the server has sent.
        ErrorKind::UnexpectedReturnType | ErrorKind::Parse => {
            return StoreError::corrupt(format!("redis: {}", error.category()));
        }
        // A command that is not known is quoted with its arguments.
        ErrorKind::Extension | ErrorKind::Server(ServerErrorKind::ResponseError) => {
            let detail = error.detail().unwrap_or_default().split(", with args").next().unwrap_or_default();
            format!("redis: {code} {detail}")
        }
        _ => format!("redis: {error}"),
    };
    if code == "WRONGTYPE" { StoreError::corrupt(text) } else { StoreError::unavailable(text) }
}
