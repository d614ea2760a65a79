//! What the benches share: what is sent ([`tokens`], [`rows`]), the stacks it is sent through ([`stacks`]), and the
//! work that no layer can do without ([`floor`]).

#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run should say so and stop")]

use std::time::{Duration, Instant};

use criterion::Criterion;

pub mod floor;
pub mod noop;
pub mod rows;
pub mod stacks;
pub mod tokens;

/// One request, or the floor of one.
pub type Run = Box<dyn FnMut()>;

/// Short runs: what counts are the ratios within one.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20)
        .configure_from_args()
}

/// `cargo bench -- --test`: everything once, nothing measured.
pub fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// Nanoseconds of each run at its best. They take turns in batches for as long as `time`, so that a busy machine
/// disturbs all of them or none.
#[expect(clippy::disallowed_methods, reason = "a bench reads the real clock")]
pub fn fastest(runs: &mut [Run], batch: u32, time: Duration) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; runs.len()];
    let start = Instant::now();
    loop {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let begun = Instant::now();
            for _ in 0..batch {
                run();
            }
            *best = best.min(begun.elapsed().as_nanos() as f64 / f64::from(batch));
        }
        if start.elapsed() >= time {
            return best;
        }
    }
}
