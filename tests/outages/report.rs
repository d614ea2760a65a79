//! The numbers of an outage, and what they must be.

use std::{collections::BTreeSet, fmt, io::Write, time::Duration};

use tokio::time::Instant;

use crate::{
    load::{EVERY, Kind, Outcome, Record},
    site::LIMIT,
};

/// What a busy machine may add to the time limit of the store.
pub const MARGIN: Duration = Duration::from_secs(1);

/// One run.
pub struct Report {
    pub name: &'static str,
    pub begun: Instant,
    /// When the server went away.
    pub broken: Instant,
    /// When it was there again.
    pub back: Instant,
    pub finished: Instant,
    pub records: Vec<Record>,
    /// What was wrong when all was over.
    pub afterwards: Vec<String>,
}

impl Report {
    /// Prints the numbers, and fails the test unless everything was as it must be, and no request was unavailable
    /// any more so long after the server was back.
    pub fn expect(&self, recovery: Duration) {
        let mut stderr = std::io::stderr(); // not with eprintln, which the harness keeps to itself when a test passes
        writeln!(stderr, "OUTAGE {self}").unwrap();
        let problems = self.problems(recovery);
        assert!(problems.is_empty(), "{}: {problems:#?}", self.name);
    }

    /// Likewise, and the load has felt it.
    pub fn expect_notice(&self, recovery: Duration) {
        self.expect(recovery);
        let count = self.unavailable(|_| true).count();
        assert!(count >= 20, "the outage was felt by {count} requests only, so nothing is proven");
    }

    pub fn problems(&self, recovery: Duration) -> Vec<String> {
        let mut problems = self.afterwards.clone();
        let wrong: BTreeSet<_> = self.wrong().collect();
        problems.extend(wrong.into_iter().map(str::to_owned));
        if self.longest() > LIMIT + MARGIN {
            problems.push(format!("an answer took {:?}", self.longest()));
        }
        let early = |record: &&Record| record.at + record.took < self.broken;
        if self.unavailable(|_| true).any(|record| early(&record)) {
            problems.push("unavailable before anything was broken".to_owned());
        }
        if self.until_all() > recovery {
            problems.push(format!("unavailable {:?} after the server was back", self.until_all()));
        }
        if self.until_first().is_none() {
            problems.push("not one right answer after the server was back".to_owned());
        }
        let due = (self.finished - self.begun).as_millis() / EVERY.as_millis();
        if self.records.len() as u128 * 100 < due * 95 {
            problems.push(format!("{} requests instead of {due}", self.records.len()));
        }
        problems
    }

    /// The requests of some kinds that were told that it cannot be known or done.
    pub fn unavailable(&self, of: impl Fn(Kind) -> bool) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.outcome == Outcome::Unavailable && of(record.kind))
    }

    /// Requests that were begun while the server was away and answered well.
    pub fn right_meanwhile(&self) -> usize {
        let meanwhile = |record: &&Record| record.at > self.broken && record.at + record.took < self.back;
        self.records.iter().filter(|record| record.outcome == Outcome::Right).filter(meanwhile).count()
    }

    fn wrong(&self) -> impl Iterator<Item = &str> {
        self.records.iter().filter_map(|record| match &record.outcome {
            Outcome::Wrong(what) => Some(&**what),
            _ => None,
        })
    }

    fn longest(&self) -> Duration {
        self.records.iter().map(|record| record.took).max().unwrap_or_default()
    }

    /// From when the server was back to the first right answer.
    fn until_first(&self) -> Option<Duration> {
        let right = self.records.iter().filter(|record| record.outcome == Outcome::Right);
        right
            .map(|record| record.at + record.took)
            .filter(|end| *end > self.back)
            .map(|end| end - self.back)
            .min()
    }

    /// From when the server was back to the last request that was still told "unavailable".
    fn until_all(&self) -> Duration {
        let last = self.unavailable(|_| true).map(|record| record.at).max();
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(self.back))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, count) = (self.finished - self.begun, self.records.len());
        let first = self.until_first().map_or("never".to_owned(), |first| format!("{first:.2?}"));
        write!(
            f,
            "{}: {count} requests in {seconds:.1?} ({:.0}/s), away for {:.1?}: {} right ({} meanwhile), {} \
             unavailable, {} wrong; longest answer {:.2?} (limit {LIMIT:?}); once it was back, first right after \
             {first}, all right after {:.2?}",
            self.name,
            count as f64 / seconds.as_secs_f64(),
            self.back - self.broken,
            self.records.iter().filter(|record| record.outcome == Outcome::Right).count(),
            self.right_meanwhile(),
            self.unavailable(|_| true).count(),
            self.wrong().count(),
            self.longest(),
            self.until_all(),
        )
    }
}
