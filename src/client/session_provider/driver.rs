//! What a provider does by itself: at its start, when time has passed, and when others say something.

use std::{
    future,
    sync::{Arc, Weak},
};

use serde::de::DeserializeOwned;
use tokio::{
    runtime::Handle,
    sync::broadcast::{Receiver, error::RecvError},
    task::AbortHandle,
};

use super::shared::{Cause, Shared};
use crate::client::jar::Announcer;

/// The task of a provider, which ends with it.
pub(super) struct Driver(AbortHandle);

impl Driver {
    pub(super) fn start<U: DeserializeOwned + Send + Sync + 'static>(
        runtime: &Handle,
        shared: &Arc<Shared<U>>,
    ) -> Self {
        let announcements = shared.client.jar().announcements();
        Self(runtime.spawn(drive(Arc::downgrade(shared), announcements)).abort_handle())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drive<U: DeserializeOwned + Send + Sync + 'static>(
    provider: Weak<Shared<U>>,
    mut announcements: Receiver<Announcer>,
) {
    if let Some(shared) = provider.upgrade() {
        shared.refetch(Cause::Start).await;
    }
    // Held only while there is something to do.
    while let Some(shared) = provider.upgrade() {
        let (due, changed, own) = (shared.due(), Arc::clone(&shared.changed), shared.number);
        let clock = Arc::clone(&shared.client.server().clock);
        drop(shared);
        let cause = tokio::select! {
            () = async {
                match due {
                    Some(due) => clock.sleep(due).await,
                    None => future::pending().await,
                }
            } => Some(Cause::Time),
            () = changed.notified() => None, // What is due may be another time now.
            announced = announcements.recv() => match announced {
                Ok(by) if by == Some(own) => None,
                Ok(_) | Err(RecvError::Lagged(_)) => Some(Cause::Announcement),
                Err(RecvError::Closed) => return,
            },
        };
        if cause == Some(Cause::Announcement) {
            // One answer does for all that was said before it.
            while announcements.try_recv().is_ok() {}
        }
        if let (Some(cause), Some(shared)) = (cause, provider.upgrade()) {
            shared.refetch(cause).await;
        }
    }
}
