//! A document that another server publishes: read when it is needed, kept, and read again.

mod cache;
mod source;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{runtime::Handle, sync::Mutex as AsyncMutex};

use self::cache::{Cache, Fetched};
pub(crate) use self::{
    cache::{Failure, Limits},
    source::Source,
};
use crate::{clock::Timestamp, http_client::place};

/// The last good version of a document, and the one request for a newer one. Clones share both.
///
/// * It is read again in the background once it is older than it may be.
/// * All who wait share one request, which goes on when one of them goes away.
/// * While no newer version can be had, the last good one is used, for a limited time.
pub(crate) struct Document<T> {
    pub(crate) source: Source<T>,
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    cache: Mutex<Cache<T>>,
    /// The one request that is under way. It belongs to nobody: when the caller that polls it goes away, the next
    /// one goes on with it.
    flight: AsyncMutex<Option<Flight<T>>>,
}

type Flight<T> = Pin<Box<dyn Future<Output = Result<Fetched<T>, Failure>> + Send>>;

impl<T: Send + Sync + 'static> Document<T> {
    pub(crate) fn new(source: Source<T>) -> Self {
        let shared = Shared { cache: Mutex::default(), flight: AsyncMutex::new(None) };
        Self { source, shared: Arc::new(shared) }
    }

    /// The last good version, and whether it need not be asked for again.
    pub(crate) fn held(&self) -> (Option<Arc<T>>, bool) {
        let (cache, now) = (self.cache(), self.now());
        (cache.document(now, &self.source.limits), cache.is_fresh(now))
    }

    /// Asks for a newer version in the background, unless that was done a short time ago.
    pub(crate) fn ask_for_newer(&self) {
        if Handle::try_current().is_ok() && self.cache().begin_if_due(self.now(), &self.source.limits) {
            self.drive();
        }
    }

    /// Waits for a newer version than the one that somebody was not content with: `true` once it is there. `None` if
    /// it cannot be had at present, so there is nothing to wait for.
    pub(crate) fn newer(&self) -> Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>> {
        let (now, limits) = (self.now(), &self.source.limits);
        let (begun, running, new) = {
            let mut cache = self.cache();
            // One that came since then is not asked for again.
            let new = cache.is_new(now, limits);
            (!new && cache.begin_if_due(now, limits), cache.is_running(), new)
        };
        if begun {
            self.drive();
        }
        if running {
            return Some(Box::pin(async move {
                self.join().await;
                self.cache().is_new(self.now(), limits)
            }));
        }
        new.then(|| Box::pin(std::future::ready(true)) as Pin<Box<dyn Future<Output = bool> + Send>>)
    }

    /// Reads the document, unless it is fresh. For a short time after a failure nobody is asked: that failure is the
    /// answer.
    #[cfg(feature = "oauth")]
    pub(crate) async fn load(&self) -> Result<(), Failure> {
        let limits = &self.source.limits;
        self.load_if(|cache, now| cache.begin_if_due(now, limits)).await
    }

    /// Likewise, whenever the last one failed: for those whom nobody else can make ask.
    pub(crate) async fn load_now(&self) -> Result<(), Failure> {
        self.load_if(|cache, now| {
            let begins = !cache.is_running();
            if begins {
                cache.begin(now);
            }
            begins
        })
        .await
    }

    /// `begin` begins an attempt, if there is to be one.
    async fn load_if(&self, begin: impl FnOnce(&mut Cache<T>, Timestamp) -> bool) -> Result<(), Failure> {
        let now = self.now();
        let begun = {
            let mut cache = self.cache();
            if cache.is_fresh(now) {
                return Ok(());
            }
            begin(&mut cache, now)
        };
        if begun {
            self.drive();
        }
        self.join().await;
        self.cache().failure().cloned().map_or(Ok(()), Err)
    }

    fn now(&self) -> Timestamp {
        self.source.clock.now().into()
    }

    fn cache(&self) -> MutexGuard<'_, Cache<T>> {
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that a request that was begun comes to its end, though whoever waits for it may go away.
    fn drive(&self) {
        if let Ok(runtime) = Handle::try_current() {
            let this = self.clone();
            runtime.spawn(async move { this.join().await });
        }
    }

    /// Waits for the request that was begun.
    async fn join(&self) {
        let mut flight = self.shared.flight.lock().await;
        if !self.cache().is_running() {
            return; // It came to its end while this waited for its turn.
        }
        let outcome = flight.get_or_insert_with(|| Box::pin(self.source.clone().fetch())).await;
        *flight = None;
        let (now, name) = (self.now(), self.source.name);
        let kept = self.cache().document(now, &self.source.limits).is_some();
        match &outcome {
            Ok(_) => tracing::debug!(url = %place(&self.source.url), "the {name} was read"),
            Err(Failure { problem, remedy }) if kept => {
                tracing::warn!("{problem}; what was read before stays in use for now; {remedy}");
            }
            Err(Failure { problem, remedy }) if !self.source.is_needed => {
                tracing::warn!("{problem}; what was configured is used without it; {remedy}");
            }
            Err(Failure { problem, remedy }) => {
                tracing::error!("{problem}; nothing that needs it works until it can; {remedy}");
            }
        }
        self.cache().end(now, outcome);
    }
}

impl<T> Clone for Document<T> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), shared: Arc::clone(&self.shared) }
    }
}
