//! The numbers of an outage, and what they must be.

use std::{collections::BTreeSet, fmt, io::Write, time::Duration};

use tokio::time::Instant;

use crate::{
    load::{EVERY, Kind, Outcome, Record},
    site::LIMIT,
};

/// What may be added to the time limit of the store, on a machine that has time; on a busy one, its [`Strain`] as well.
pub const MARGIN: Duration = Duration::from_secs(1);

/// What a busy machine did to the run, as the run itself has seen it. It excuses answers that are late, and those that
/// say "unavailable" because the time limit was over; never a wrong one, and never that there is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strain {
    /// By how much requests were begun later than they were due, at worst: so long somebody who was ready had to wait.
    pub late: Duration,
    /// The slowest right answer while nothing was broken.
    pub calm: Duration,
}

impl Strain {
    /// Of this load, until `broken`.
    pub fn of(records: &[Record], late: Duration, broken: Instant) -> Self {
        let calm = records.iter().filter(|record| record.outcome == Outcome::Right && record.end() < broken);
        // What takes longer than the time limit is no measure of anything.
        let calm = calm.map(|record| record.took).max().unwrap_or_default().min(LIMIT);
        Self { late, calm }
    }

    /// From the client to the server, into the store, and back: each may have been as late. And the servers, which are
    /// other processes, take as long for each step of a connection as a calm answer took.
    pub fn grace(self) -> Duration {
        (self.late + self.calm) * 4
    }

    /// So busy that somebody who was ready had to wait for as long as a call of the store may take: then no time says
    /// anything about the site. It is still judged by what is answered, and by what is there when the load is over.
    pub fn is_beyond_measure(self) -> bool {
        self.late >= LIMIT
    }

    /// So busy that the time limit may have been over before anything could happen.
    pub fn is_severe(self) -> bool {
        self.late * 4 + self.calm >= LIMIT / 2
    }
}

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
    pub strain: Strain,
    /// What was wrong when all was over.
    pub afterwards: Vec<String>,
}

impl Report {
    /// Prints the numbers, and fails the test unless everything was as it must be, and no request was unavailable
    /// any more so long after the server was back.
    pub fn expect(&self, recovery: Duration) {
        // Not with eprintln, which the harness keeps to itself when a test passes.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "OUTAGE {self}").unwrap();
        if self.strain.is_beyond_measure() {
            writeln!(stderr, "TOO BUSY: no time of this run says anything; its answers do").unwrap();
        }
        let problems = self.problems(recovery);
        assert!(problems.is_empty(), "{}: {problems:#?}", self.name);
    }

    /// Likewise, and the load has felt it.
    pub fn expect_notice(&self, recovery: Duration) {
        self.expect(recovery);
        let count = self.unavailable(|_| true).count();
        assert!(
            count >= 20 || self.strain.is_severe(),
            "the outage was felt by {count} requests only, so nothing is proven"
        );
    }

    pub fn problems(&self, recovery: Duration) -> Vec<String> {
        let mut problems = self.afterwards.clone();
        let wrong: BTreeSet<_> = self.wrong().collect();
        problems.extend(wrong.into_iter().map(str::to_owned));
        if self.unexcused(|_| true).any(|record| record.end() < self.broken) {
            problems.push("unavailable before anything was broken".to_owned());
        }
        if !self.strain.is_beyond_measure() {
            problems.extend(self.delays(recovery));
        }
        problems
    }

    /// What came later than it may.
    fn delays(&self, recovery: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        if self.longest() > LIMIT + MARGIN + self.strain.grace() {
            problems.push(format!("an answer took {:?}", self.longest()));
        }
        if self.until_all() > recovery + self.strain.grace() {
            problems.push(format!("unavailable {:?} after the server was back", self.until_all()));
        }
        if self.until_first().is_none() {
            problems.push("not one right answer after the server was back".to_owned());
        }
        let due =
            (self.finished - self.begun).saturating_sub(self.strain.late).as_millis() / EVERY.as_millis();
        if self.records.len() as u128 * 100 < due * 95 {
            problems.push(format!("{} requests instead of {due}", self.records.len()));
        }
        problems
    }

    /// The requests of some kinds that were told that it cannot be known or done.
    pub fn unavailable(&self, of: impl Fn(Kind) -> bool) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.outcome == Outcome::Unavailable && of(record.kind))
    }

    /// Those of them for which the time limit is no reason: it was not over, or the machine had time.
    pub fn unexcused(&self, of: impl Fn(Kind) -> bool) -> impl Iterator<Item = &Record> {
        self.unavailable(of).filter(|record| record.took < LIMIT || !self.strain.is_severe())
    }

    /// Requests that were begun while the server was away and answered well. Whoever broke it and brought it back may
    /// have been late, too.
    pub fn right_meanwhile(&self) -> usize {
        let Strain { late, .. } = self.strain;
        let meanwhile = |record: &&Record| record.at > self.broken + late && record.end() + late < self.back;
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
        right.map(Record::end).filter(|end| *end > self.back).map(|end| end - self.back).min()
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
             {first}, all right after {:.2?} (this machine was late by {:.0?}, and a calm answer took {:.0?})",
            self.name,
            count as f64 / seconds.as_secs_f64(),
            self.back - self.broken,
            self.records.iter().filter(|record| record.outcome == Outcome::Right).count(),
            self.right_meanwhile(),
            self.unavailable(|_| true).count(),
            self.wrong().count(),
            self.longest(),
            self.until_all(),
            self.strain.late,
            self.strain.calm,
        )
    }
}
