//! A store that is counted and timed.

mod store;

use std::{fmt, sync::Arc, task::Poll, time::SystemTime};

use metrics::{SharedString, counter, histogram};

use super::{Result, StoreErrorKind};
use crate::clock::{Clock, SystemClock};

/// Counts and times the calls of any store with the crate [`metrics`].
///
/// | metric | kind | |
/// |---|---|---|
/// | `portcullis_store_calls_total` | counter | calls that are over |
/// | `portcullis_store_call_seconds` | histogram | how long they took |
///
/// Both have the labels `store` (the given name), `method` (such as `session_and_user`) and `outcome`: `ok`,
/// `unavailable`, `conflict`, `corrupt`, `configuration`, or `dropped` if the caller did not wait for the answer, for instance
/// because its time limit was over. A missing row is `ok`. No label holds anything of users or sessions.
///
/// ```
/// use portcullis::store::{MemoryStore, Metered, SessionKey, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::store::StoreError> {
/// let store = Metered::new(MemoryStore::new(), "memory");
/// assert!(store.session_and_user(&SessionKey::of_token("unknown")).await?.is_none());
/// # Ok(())
/// # }
/// ```
pub struct Metered<S> {
    store: S,
    name: SharedString,
    clock: Arc<dyn Clock>,
}

impl<S> Metered<S> {
    /// Measures `store`, which is called `name` in the label `store`.
    pub fn new(store: S, name: impl Into<SharedString>) -> Self {
        Self { store, name: name.into(), clock: Arc::new(SystemClock) }
    }

    /// Sets where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    async fn timed<T>(&self, method: &'static str, call: impl Future<Output = Result<T>>) -> Result<T> {
        let mut measured = self.measured(method, self.clock.now());
        let answer = call.await;
        measured.outcome = match answer.as_ref().map_err(super::StoreError::kind) {
            Ok(_) => "ok",
            Err(StoreErrorKind::Unavailable) => "unavailable",
            Err(StoreErrorKind::Conflict) => "conflict",
            Err(StoreErrorKind::Corrupt) => "corrupt",
            Err(StoreErrorKind::Configuration) => "configuration",
        };
        answer
    }

    /// A call that is not counted if it has no answer: the caller asks again, and waits.
    fn timed_now<T>(&self, method: &'static str, call: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let begun = self.clock.now();
        let answer = call();
        if answer.is_ready() {
            self.measured(method, begun).outcome = "ok";
        }
        answer
    }

    fn measured(&self, method: &'static str, begun: SystemTime) -> Measured<'_> {
        Measured { name: &self.name, clock: &*self.clock, begun, method, outcome: "dropped" }
    }
}

/// A call that is under way; when it goes, it is over.
struct Measured<'a> {
    name: &'a SharedString,
    clock: &'a dyn Clock,
    begun: SystemTime,
    method: &'static str,
    outcome: &'static str,
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let labels = [
            ("store", self.name.clone()),
            ("method", SharedString::from(self.method)),
            ("outcome", SharedString::from(self.outcome)),
        ];
        // Nothing, if the clock was set back meanwhile.
        let took = self.clock.now().duration_since(self.begun).unwrap_or_default();
        counter!("portcullis_store_calls_total", &labels).increment(1);
        histogram!("portcullis_store_call_seconds", &labels).record(took);
    }
}

/// The name and the store behind it.
impl<S: fmt::Debug> fmt::Debug for Metered<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered")
            .field("name", &self.name)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
