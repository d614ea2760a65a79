//! What a request costs whose session is a row of a store: `cargo bench --features sqlite,postgres,redis --bench store`.
//!
//! Three tables. What the layer adds to a request; how that grows from a thousand stored sessions to a million; how
//! long requests take while a million expired rows are swept away. As in the bench `ratios`, runs take turns and
//! nothing fails here. The servers are those of `scripts/with-services`; one that is not there is left out aloud.
//! Arguments choose stores by a part of their name. With `--test` everything is smaller.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run should say so and stop")]

mod place;
#[path = "../support/mod.rs"]
mod support;
mod sweep;
mod traffic;

use std::{rc::Rc, time::Duration};

use tokio::runtime::{Builder, Runtime};

use place::{PLACES, Place, Size};
use support::{fastest, is_test};
use traffic::{BATCH, Cookies, Front};

/// How much is measured.
struct Scale {
    few: usize,
    many: usize,
    /// How long a row is measured.
    time: Duration,
}

const FULL: Scale = Scale { few: 1_000, many: 1_000_000, time: Duration::from_secs(3) };
const TEST: Scale = Scale { few: 1_000, many: 10_000, time: Duration::ZERO };

/// Of a thousand and of a million stored sessions, that the one may cost as many times the other.
const GROWTH: f64 = 1.3;
/// Nanoseconds over a layer that does nothing, for sessions in memory.
const ADDED: f64 = 500.0;

fn main() {
    let scale = if is_test() { TEST } else { FULL };
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let places = PLACES.iter().filter(|place| wanted.iter().all(|part| place.name.contains(part)));
    for place in places {
        match place.missing() {
            Some(what) => {
                println!("LEFT OUT: {}: {what} is not set (scripts/with-services sets it)", place.name)
            }
            None => measure(place, &scale),
        }
    }
}

fn measure(place: &Place, scale: &Scale) {
    // The second thread is the sweep's.
    let runtime = Rc::new(Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    growth(place, scale, &runtime);
    let size = Size { live: scale.few, expired: place.swept.min(scale.many) };
    runtime.block_on(async {
        let filled = (place.fill)(size).await;
        sweep::measure(place.name, &filled.auth, size).await;
        filled.empty().await;
    });
}

fn growth(place: &Place, scale: &Scale, runtime: &Rc<Runtime>) {
    let (few, many) = (scale.few, scale.many);
    let of = |live| runtime.block_on((place.fill)(Size { live, expired: 0 }));
    let (small, large) = (of(few), of(many));
    // Those of a thousand stay in the processor's caches, wherever they lie; a hundred thousand do not.
    let (some, spread) = (Cookies::of(few, few), Cookies::of(many, (many / 10).max(few)));
    let same = Cookies::of(many, few);
    let run = |front, cookies| traffic::run(front, cookies, runtime);
    let mut runs = [
        run(Front::NoOp, &some),
        run(Front::Layer(&small.auth), &some),
        run(Front::Layer(&large.auth), &same),
        run(Front::NoOp, &spread),
        run(Front::Layer(&large.auth), &spread),
    ];
    let best: Vec<f64> =
        fastest(&mut runs, 1, scale.time * 5).iter().map(|batch| batch / BATCH as f64).collect();
    let [no_op, small_time, same_time, no_op_spread, spread_time] = best[..] else { return };
    let name = place.name;
    println!("{:<52} {:>10} {:>10}   value", "row", "ours", "against");
    let added = small_time - no_op;
    let limit = place.is_in_process.then_some(ADDED);
    row(&format!("{name}, over no-op"), [small_time, no_op], added, " ns", limit);
    row(
        &format!("{name}, {few} of {many} : of {few}"),
        [same_time, small_time],
        (same_time - no_op) / added,
        " x",
        Some(GROWTH),
    );
    row(
        &format!("{name}, {} of {many} : {few} of {few}", spread.len()),
        [spread_time, small_time],
        (spread_time - no_op_spread) / added,
        " x",
        Some(GROWTH),
    );
    runtime.block_on(async {
        small.empty().await;
        large.empty().await;
    });
}

fn row(name: &str, [ours, against]: [f64; 2], value: f64, unit: &str, limit: Option<f64>) {
    let verdict = match limit {
        Some(limit) if value <= limit => format!(" (at most {limit}{unit}) ok"),
        Some(limit) => format!(" (at most {limit}{unit}) OVER"),
        None => String::new(),
    };
    println!("{name:<52} {ours:>7.0} ns {against:>7.0} ns   {value:.2}{unit}{verdict}");
}
