//! Where a jar is kept between two runs of a program, and what other programs do there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cookie_store::Cookie;
use tokio::sync::Mutex as AsyncMutex;

use super::held::{Held, Saved, Taken};
use crate::error::BoxError;

/// Where a [`CookieJar`](super::CookieJar) is kept between two runs of a program. Only cookies that have an end are kept.
#[async_trait]
pub trait JarStorage: Send + Sync + 'static {
    /// What was saved last; `None` if nothing ever was.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    async fn load(&self) -> Result<Option<String>, BoxError>;

    /// Replaces what was saved. `cookies` lets whoever has it act as the user: it is for nobody else to read.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    async fn save(&self, cookies: &str) -> Result<(), BoxError>;

    /// Whether other programs may save here, too, while this one runs. A jar then loads before each request and each
    /// change, so that all of them are one visitor. No unless said: loading may be slow, or ask the user.
    fn is_shared(&self) -> bool {
        false
    }

    /// Keeps other programs from changing anything until what it gives is dropped: a jar loads, changes and saves
    /// meanwhile. Only a storage that [is shared](Self::is_shared) needs it.
    ///
    /// # Errors
    ///
    /// When they cannot be kept from it. The jar goes on: of two changes at one instant one may then be lost.
    async fn lock(&self) -> Result<Box<dyn Send>, BoxError> {
        Ok(Box::new(()))
    }
}

/// A storage, and what is known of it.
pub(super) struct Kept {
    storage: Box<dyn JarStorage>,
    /// Locked while anything changes, so that the last one has the last word.
    known: AsyncMutex<Known>,
}

struct Known {
    /// What was last saved or loaded.
    text: Option<String>,
    /// Whether the last change could not be saved. Then it is not for the storage to say what is in the jar.
    is_behind: bool,
}

/// How a storage was found.
pub(super) struct Followed {
    /// Whether another program has signed in or out, or has changed the session.
    pub(super) moved: bool,
    /// Whether there is something that could not be saved.
    pub(super) is_behind: bool,
}

impl Kept {
    pub(super) fn new(storage: Box<dyn JarStorage>, text: Option<String>) -> Self {
        Self { storage, known: AsyncMutex::new(Known { text, is_behind: false }) }
    }

    /// Has what another program has saved since.
    pub(super) async fn follow(&self, held: &Mutex<Held>) -> Followed {
        let mut known = self.known.lock().await;
        let moved = self.adopt(&mut known, held).await;
        Followed { moved, is_behind: known.is_behind }
    }

    /// Makes a change to what another program may have saved since, and saves it. Not to be stopped in the middle.
    pub(super) async fn change(
        &self,
        held: &Mutex<Held>,
        change: impl FnOnce(&mut Held) -> Taken,
    ) -> (Taken, Followed) {
        let mut known = self.known.lock().await;
        let _held_off = self.hold_others_off().await;
        let moved = self.adopt(&mut known, held).await;
        let taken = change(&mut lock(held));
        if taken == Taken::Changed || known.is_behind {
            self.save(&mut known, held).await;
        }
        (taken, Followed { moved, is_behind: known.is_behind })
    }

    async fn hold_others_off(&self) -> Option<Box<dyn Send>> {
        if !self.storage.is_shared() {
            return None;
        }
        let held_off = self.storage.lock().await;
        held_off
            .inspect_err(|error| {
                tracing::warn!("other programs may change the cookies at this instant: {error}")
            })
            .ok()
    }

    async fn adopt(&self, known: &mut Known, held: &Mutex<Held>) -> bool {
        if known.is_behind || !self.storage.is_shared() {
            return false;
        }
        let now = match self.storage.load().await {
            Ok(now) if now == known.text => return false,
            Ok(Some(text)) => parse(&text).map(|saved| (Some(text), saved)),
            Ok(None) => Ok((None, Saved { turn: lock(held).turn.next(), cookies: Vec::new() })),
            Err(error) => Err(error),
        };
        match now {
            Ok((text, saved)) => {
                known.text = text;
                lock(held).become_saved(saved)
            }
            Err(error) => {
                tracing::warn!("what other programs did with the cookies is not known: {error}");
                false
            }
        }
    }

    async fn save(&self, known: &mut Known, held: &Mutex<Held>) {
        let text = lock(held).to_saved();
        let done = match &text {
            Ok(text) => self.storage.save(text).await,
            Err(error) => Err(error.to_string().into()),
        };
        known.is_behind = done.is_err();
        match done {
            Ok(()) => known.text = text.ok(),
            Err(error) => {
                tracing::error!(
                    "the cookies could not be saved, and are lost when this program ends: {error}"
                );
            }
        }
    }
}

pub(super) fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error's own text is left out: it may quote a cookie.
pub(super) fn parse(saved: &str) -> Result<Saved<Cookie<'static>>, BoxError> {
    serde_json::from_str(saved).map_err(|_| "they are not what a jar saves: remove them".into())
}
