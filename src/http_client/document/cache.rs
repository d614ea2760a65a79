//! The last good document, and when to ask for the next one. Time is given; nothing here waits.

use std::{sync::Arc, time::Duration};

use crate::clock::Timestamp;

/// How soon to ask again after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// How old things may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// When it is asked for again.
    pub(crate) max_age: Duration,
    /// Between two requests, whoever wants them.
    pub(crate) min_interval: Duration,
    /// How long the last one is used while there is no newer one.
    pub(crate) max_stale: Duration,
}

/// A document, and for how long it need not be asked for again.
pub(super) struct Fetched<T> {
    pub(super) document: T,
    pub(super) fresh_for: Duration,
}

/// Why there is no newer document, for the operator.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

pub(super) struct Cache<T> {
    held: Option<Held<T>>,
    attempt: Option<Attempt>,
}

struct Held<T> {
    document: Arc<T>,
    since: Timestamp,
    fresh_for: Duration,
}

struct Attempt {
    at: Timestamp,
    outcome: Outcome,
}

enum Outcome {
    Running,
    Succeeded,
    Failed(Failure),
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { held: None, attempt: None }
    }
}

impl<T> Cache<T> {
    /// The document, unless it is too old to be trusted.
    pub(super) fn document(&self, now: Timestamp, limits: &Limits) -> Option<Arc<T>> {
        let held = self.held.as_ref()?;
        let usable = elapsed(held.since, now).is_none_or(|age| age <= limits.max_stale);
        usable.then(|| held.document.clone())
    }

    /// Whether the document need not be asked for again.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| elapsed(held.since, now).is_some_and(|age| age < held.fresh_for))
    }

    /// Whether the document came a moment ago, perhaps after somebody was not content with the one before.
    pub(super) fn is_new(&self, now: Timestamp, limits: &Limits) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| elapsed(held.since, now).is_some_and(|age| age < limits.min_interval))
    }

    pub(super) fn is_running(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| matches!(attempt.outcome, Outcome::Running))
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        match &self.attempt.as_ref()?.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Running | Outcome::Succeeded => None,
        }
    }

    /// Begins an attempt, unless the last one was too short a time ago: nobody who makes up tokens decides how often
    /// the server is asked. A clock that was set back does not keep it from being asked.
    pub(super) fn begin_if_due(&mut self, now: Timestamp, limits: &Limits) -> bool {
        let due = self.attempt.as_ref().is_none_or(|attempt| {
            let pause = match attempt.outcome {
                Outcome::Failed(_) => limits.min_interval.min(RETRY),
                Outcome::Running | Outcome::Succeeded => limits.min_interval,
            };
            elapsed(attempt.at, now).is_none_or(|time| time >= pause)
        });
        if due {
            self.begin(now);
        }
        due
    }

    pub(super) fn begin(&mut self, now: Timestamp) {
        self.attempt = Some(Attempt { at: now, outcome: Outcome::Running });
    }

    /// Ends the attempt. A failure changes nothing of what is held.
    pub(super) fn end(&mut self, now: Timestamp, outcome: Result<Fetched<T>, Failure>) {
        let outcome = match outcome {
            Ok(Fetched { document, fresh_for }) => {
                self.held = Some(Held { document: Arc::new(document), since: now, fresh_for });
                Outcome::Succeeded
            }
            Err(failure) => Outcome::Failed(failure),
        };
        self.attempt = Some(Attempt { at: now, outcome });
    }
}

/// `None` if the clock was set back in between.
fn elapsed(from: Timestamp, to: Timestamp) -> Option<Duration> {
    u64::try_from(to.as_millis() - from.as_millis()).ok().map(Duration::from_millis)
}
