//! The last good set, and when to ask for the next one. Time is given; nothing here waits.

use std::{sync::Arc, time::Duration};

use super::super::JwkSet;
use crate::{clock::Timestamp, error::ConfigError};

/// How soon to ask again after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// How old things may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_age: Duration,
    pub(super) min_interval: Duration,
    pub(super) max_stale: Duration,
}

/// A set, and for how long it need not be asked for again.
pub(super) struct Fetched {
    pub(super) set: JwkSet,
    pub(super) fresh_for: Duration,
}

/// Why there is no newer set, for the operator.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) problem: String,
    pub(super) remedy: String,
}

impl From<Failure> for ConfigError {
    fn from(Failure { problem, remedy }: Failure) -> Self {
        Self::one(problem, remedy)
    }
}

#[derive(Default)]
pub(super) struct Cache {
    held: Option<Held>,
    attempt: Option<Attempt>,
}

struct Held {
    set: Arc<JwkSet>,
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

impl Cache {
    /// The set, unless it is too old to be trusted.
    pub(super) fn set(&self, now: Timestamp, limits: &Limits) -> Option<Arc<JwkSet>> {
        let held = self.held.as_ref()?;
        let usable = elapsed(held.since, now).is_none_or(|age| age <= limits.max_stale);
        usable.then(|| held.set.clone())
    }

    /// Whether the set need not be asked for again.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| elapsed(held.since, now).is_some_and(|age| age < held.fresh_for))
    }

    /// Whether the set came a moment ago, perhaps after a token was refused with the one before.
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
    /// the issuer is asked. A clock that was set back does not keep it from being asked.
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
    pub(super) fn end(&mut self, now: Timestamp, outcome: Result<Fetched, Failure>) {
        let outcome = match outcome {
            Ok(Fetched { set, fresh_for }) => {
                self.held = Some(Held { set: Arc::new(set), since: now, fresh_for });
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
