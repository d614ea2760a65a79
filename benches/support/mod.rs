//! What the benches share: what is sent ([`tokens`]), the stacks it is sent through ([`stacks`]), and the
//! work that no layer can do without ([`floor`]).

#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run should say so and stop")]

use std::time::Duration;

use criterion::Criterion;

pub mod floor;
mod noop;
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
