//! Expired rows are removed by a job that runs beside the application.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::task::JoinHandle;

use super::{Auth, Settings};
use crate::{random, store::StoreError};

/// Removes expired sessions, one-time tokens and revocations for as long as it is kept; made by
/// [`Auth::sweep_every`]. It stops when it is dropped, when the last [`Auth`] is, and with the runtime.
#[must_use = "the job ends when this is dropped"]
pub struct Sweep(JoinHandle<()>);

/// How many rows are removed in one go, so that nobody waits for long.
const BATCH: u32 = 1_000;

/// How many goes one sweep takes at most; the rest is for the next.
const MAX_BATCHES: u32 = 1_000;

/// Between two goes others get their turn.
const PAUSE: Duration = Duration::from_millis(20);

impl Auth {
    /// Removes expired rows every `interval`, in small batches, from a task of its own. Each time is moved by up
    /// to a tenth of it either way, so that instances that start together do not go on together; several at once
    /// do no harm. That a row has expired is judged at each read anyway: this only keeps tables small.
    ///
    /// Call it inside of a Tokio runtime.
    pub fn sweep_every(&self, interval: Duration) -> Sweep {
        let (settings, clock) = (Arc::downgrade(&self.settings), Arc::clone(&self.settings.clock));
        Sweep(tokio::spawn(async move {
            loop {
                clock.sleep(jittered(interval)).await;
                // A clock whose sleep is over at once must not keep the thread.
                tokio::task::yield_now().await;
                let Some(auth) = alive(&settings) else { return };
                // Already logged; the next one may do better.
                let _ = auth.sweep().await;
            }
        }))
    }

    /// Removes what has expired by now, in batches. Answers how many rows that were.
    ///
    /// # Errors
    ///
    /// When a store failed; what was removed until then stays removed.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        for _ in 0..MAX_BATCHES {
            let (batch, is_full) = self.sweep_batch().await?;
            removed += batch;
            if !is_full {
                break;
            }
            self.sleep(PAUSE).await;
        }
        Ok(removed)
    }

    /// How many rows were removed, and whether more may be left.
    async fn sweep_batch(&self) -> Result<(u64, bool), StoreError> {
        let (settings, now) = (&self.settings, self.now());
        let mut batches = Vec::with_capacity(3);
        if let Some(stores) = &settings.stores {
            batches.push(stores.ask(stores.tokens.delete_expired_verification_tokens(now, BATCH)).await?);
            batches.push(stores.ask(stores.sessions.delete_expired_sessions(now, BATCH)).await?);
        }
        if let Some(revocations) = settings.strategy.revocations() {
            batches.push(revocations.sweep(now, BATCH).await?);
        }
        Ok((batches.iter().sum(), batches.iter().any(|removed| *removed >= u64::from(BATCH))))
    }
}

fn alive(settings: &Weak<Settings>) -> Option<Auth> {
    settings.upgrade().map(|settings| Auth { settings })
}

/// Between nine and eleven tenths of it.
fn jittered(interval: Duration) -> Duration {
    let random = random::bytes::<2>().map_or(u16::MAX / 2, u16::from_le_bytes);
    interval.mul_f64(0.9 + 0.2 * f64::from(random) / f64::from(u16::MAX))
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep").finish_non_exhaustive()
    }
}
