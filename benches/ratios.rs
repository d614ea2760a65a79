//! The costs that `docs/performance.md` promises, as ratios within one run: `cargo bench --bench ratios`.
//!
//! The runs of a row take turns in small batches, and of each the fastest batch counts, so that a busy
//! machine disturbs all of them or none. Nothing fails here: a time is no test. Arguments choose rows by a part of
//! their name.

mod support;

use std::time::Duration;

use support::{
    Run, fastest,
    floor::floor,
    is_test,
    stacks::{Front, Stack, run},
    tokens::{Format, SIZES, Sent, kilobytes},
};

const BATCH: u32 = 100;
/// How long a row is measured.
const TIME: Duration = Duration::from_millis(500);

fn main() {
    let time = if is_test() { Duration::ZERO } else { TIME };
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    println!("{:<46} {:>9} {:>9} {:>9}   value", "row", "ours", "against", "floor");
    for row in rows() {
        if wanted.iter().all(|part| row.name.contains(part)) {
            row.measure(time);
        }
    }
}

/// `ours` is held against another run of the same stack.
struct Row {
    name: String,
    ours: Run,
    against: Run,
    budget: Budget,
}

enum Budget {
    /// At most so many nanoseconds more.
    Added(f64),
    /// What is added, at most so many times the floor.
    Floors(f64, Run),
    /// At most so many times the other.
    Times(f64),
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for stack in Stack::PLAIN {
        rows.extend(anonymous(stack));
        for &format in Format::MEASURED {
            for size in SIZES {
                rows.extend(cookies(stack, format, size));
            }
        }
    }
    for stack in [Stack::Axum, Stack::AxumPage] {
        rows.extend(guards(stack));
    }
    rows
}

fn anonymous(stack: Stack) -> impl Iterator<Item = Row> {
    let sent = [("no cookies", Sent::Nothing), ("other cookies", Sent::OtherCookies)];
    let against = [("no-op", Front::NoOp, 50.0), ("bare", Front::Nothing, 100.0)];
    sent.into_iter().flat_map(move |(name, sent)| {
        against.into_iter().map(move |(other, front, limit)| Row {
            name: format!("anonymous over {other}, {name}, {stack}"),
            ours: run(stack, Front::Layer, Format::V4, sent),
            against: run(stack, front, Format::V4, sent),
            budget: Budget::Added(limit),
        })
    })
}

fn cookies(stack: Stack, format: Format, size: usize) -> [Row; 3] {
    let what = format!("{format}, {}, {stack}", kilobytes(size));
    let layer = |sent| run(stack, Front::Layer, format, sent);
    let good = Sent::Good(size);
    [
        Row {
            name: format!("signed in, {what}"),
            ours: layer(good),
            against: run(stack, Front::NoOp, format, good),
            budget: Budget::Floors(1.3, floor(format, size)),
        },
        Row {
            name: format!("garbage : good, {what}"),
            ours: layer(Sent::Garbage(size)),
            against: layer(good),
            budget: Budget::Times(1.0),
        },
        Row {
            name: format!("tampered : good, {what}"),
            ours: layer(Sent::Tampered(size)),
            against: layer(good),
            budget: Budget::Times(1.0),
        },
    ]
}

fn guards(stack: Stack) -> impl Iterator<Item = Row> {
    let row = move |front, what, against, budget| Row {
        name: format!("{front} refusing {what}, {stack}"),
        ours: run(stack, front, Format::V4, Sent::Nothing),
        against: run(stack, against, Format::V4, Sent::Nothing),
        budget,
    };
    [Front::Guard, Front::PageGuard].into_iter().flat_map(move |front| {
        [
            row(front, ": handler", Front::Open, Budget::Times(1.0)),
            row(front, "over bare", Front::Nothing, Budget::Added(1000.0)),
        ]
    })
}

impl Row {
    fn measure(mut self, time: Duration) {
        let mut runs = vec![self.ours, self.against];
        if let Budget::Floors(_, floor) = &mut self.budget {
            runs.push(std::mem::replace(floor, Box::new(|| {})));
        }
        let fastest = fastest(&mut runs, BATCH, time);
        let (ours, against) = (fastest[0], fastest[1]);
        let floor = fastest.get(2).map_or(String::new(), |floor| format!("{floor:.0} ns"));
        let (value, limit, unit) = match self.budget {
            Budget::Added(limit) => (ours - against, limit, " ns"),
            Budget::Floors(limit, _) => ((ours - against) / fastest[2], limit, " x"),
            Budget::Times(limit) => (ours / against, limit, " x"),
        };
        let verdict = if value <= limit { "ok" } else { "OVER" };
        println!(
            "{:<46} {ours:>6.0} ns {against:>6.0} ns {floor:>9}   {value:.2}{unit} (at most {limit}{unit}) {verdict}",
            self.name
        );
    }
}
