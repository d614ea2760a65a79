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
use url::Url;

use super::shared::{Cause, Shared};
use crate::client::jar::Announcement;

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
    mut announcements: Receiver<Announcement>,
) {
    let Some(shared) = provider.upgrade() else { return };
    let (own, base) = (shared.number, shared.client.server().base.clone());
    shared.refetch(Cause::Start).await;
    drop(shared);
    // Held only while there is something to do.
    while let Some(shared) = provider.upgrade() {
        let (due, changed) = (shared.due(), Arc::clone(&shared.changed));
        let clock = Arc::clone(&shared.client.server().clock);
        drop(shared);
        let mut cause = tokio::select! {
            () = async {
                match due {
                    Some(due) => clock.sleep(due).await,
                    None => future::pending().await,
                }
            } => Some(Cause::Time),
            () = changed.notified() => None, // What is due may be another time now.
            announced = announcements.recv() => match announced {
                Ok(announced) => cause_of(announced, own, &base),
                Err(RecvError::Lagged(_)) => Some(Cause::Announcement),
                Err(RecvError::Closed) => return,
            },
        };
        if cause.is_some_and(Cause::is_news) {
            // One answer does for all that was said before it. A sign-out holds without one.
            while let Ok(announced) = announcements.try_recv() {
                let next = cause_of(announced, own, &base);
                cause = next.filter(|next| *next != Cause::Announcement).or(cause);
            }
        }
        if let (Some(cause), Some(shared)) = (cause, provider.upgrade()) {
            shared.refetch(cause).await;
        }
    }
}

/// What a provider makes of what others over its jar say; their server may be another one.
fn cause_of(announced: Announcement, own: u64, base: &Url) -> Option<Cause> {
    let is_here = |at: &Option<Url>| at.as_ref().is_none_or(|at| at == base);
    let signed_out = announced.sign_out.filter(|signed_out| is_here(&signed_out.base));
    let is_told = announced.by != Some(own);
    is_told.then(|| signed_out.map_or(Cause::Announcement, |signed_out| Cause::SignOut(signed_out.turn)))
}
