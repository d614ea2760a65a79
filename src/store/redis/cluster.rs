//! A connection to a cluster that is made anew when it answers nothing any more.
//!
//! One task of the crate `redis` drives all calls of a connection. In version 1.8 it can come to a standstill for
//! good when a node goes away: finding out who has which slots waits for a lock whose turn is that of a call, and
//! calls wait for the finding out. Then every call waits for ever, those of the nodes that are well among them.

use std::{
    future::Future,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{ErrorKind, RedisResult, cluster::ClusterClient, cluster_async::ClusterConnection};
use tokio::{runtime::Handle, time::timeout};

/// A connection that answers no `PING`, to whichever node, for so long is given up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Nor is a new one waited for any longer than this.
const RENEWAL: Duration = Duration::from_secs(5);

/// Clones share the connection.
#[derive(Clone)]
pub(super) struct Cluster(Arc<Inner>);

struct Inner {
    connection: RwLock<ClusterConnection>,
    /// Makes new ones; there is none if the application has given the connection.
    client: Option<ClusterClient>,
    is_checking: AtomicBool,
    /// The connection was found to answer nothing.
    is_lost: AtomicBool,
}

impl Cluster {
    pub(super) async fn connect(client: ClusterClient) -> RedisResult<Self> {
        let connection = client.get_async_connection().await?;
        Ok(Self::new(connection, Some(client)))
    }

    pub(super) fn given(connection: ClusterConnection) -> Self {
        Self::new(connection, None)
    }

    fn new(connection: ClusterConnection, client: Option<ClusterClient>) -> Self {
        let connection = RwLock::new(connection);
        Self(Arc::new(Inner {
            connection,
            client,
            is_checking: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
        }))
    }

    /// Makes a call. If it is not answered, or its caller does not wait for the answer, the connection is looked at.
    pub(super) async fn call<T, F>(&self, call: impl FnOnce(ClusterConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if self.0.is_lost.load(Ordering::Acquire) {
            // So that not all of them wait for the new one, and fall upon it together.
            let reason = (ErrorKind::ClusterConnectionNotFound, "the connection is being made anew");
            return Err(reason.into());
        }
        let mut answered = Answered { cluster: self, is_answered: false };
        let answer = call(self.connection()).await;
        answered.is_answered = !answer.as_ref().is_err_and(|error| error.is_timeout());
        answer
    }

    fn connection(&self) -> ClusterConnection {
        self.0.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the connection anew if it answers nothing; one look at a time.
    fn check(&self) {
        let (Some(client), Ok(runtime)) = (self.0.client.clone(), Handle::try_current()) else { return };
        if self.0.is_checking.swap(true, Ordering::AcqRel) {
            return;
        }
        let cluster = self.clone();
        runtime.spawn(async move {
            if !cluster.answers().await {
                cluster.0.is_lost.store(true, Ordering::Release);
                // If there is none, the next call that is not answered has it tried again.
                if let Ok(Ok(connection)) = timeout(RENEWAL, client.get_async_connection()).await {
                    cluster.replace(connection);
                }
            }
            cluster.0.is_lost.store(false, Ordering::Release);
            cluster.0.is_checking.store(false, Ordering::Release);
        });
    }

    async fn answers(&self) -> bool {
        let mut connection = self.connection();
        let ping = ::redis::cmd("PING");
        // An error is an answer: there is somebody who gives one.
        match timeout(PATIENCE, ping.query_async::<String>(&mut connection)).await {
            Ok(answer) => !answer.is_err_and(|error| error.is_timeout()),
            Err(_) => false,
        }
    }

    fn replace(&self, connection: ClusterConnection) {
        tracing::warn!("the connection to the Redis cluster answered nothing and was made anew");
        *self.0.connection.write().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

/// Whether a call was answered, when it is over.
struct Answered<'c> {
    cluster: &'c Cluster,
    is_answered: bool,
}

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.cluster.check();
        }
    }
}
