//! Sends the requests of one path, for `scripts/instructions` to count what they cost.
//!
//! `instructions --list` names the paths, `instructions NAME COUNT` runs one of them.

#![allow(clippy::unwrap_used, reason = "a bench that cannot run should say so and stop")]

mod support;

use support::{
    Run,
    floor::floor,
    is_test, rows,
    stacks::{Front, Stack, run},
    tokens::{Format, SIZES, Sent},
};

type Path = (&'static str, fn() -> Run);

const PATHS: &[Path] = &[
    ("anonymous-noop", || run(Stack::Tower, Front::NoOp, Format::V4, Sent::Nothing)),
    ("anonymous-layer", || run(Stack::Tower, Front::Layer, Format::V4, Sent::Nothing)),
    ("anonymous-axum-noop", || run(Stack::Axum, Front::NoOp, Format::V4, Sent::Nothing)),
    ("anonymous-axum-layer", || run(Stack::Axum, Front::Layer, Format::V4, Sent::Nothing)),
    ("other-cookies-noop", || run(Stack::Tower, Front::NoOp, Format::V4, Sent::OtherCookies)),
    ("other-cookies-layer", || run(Stack::Tower, Front::Layer, Format::V4, Sent::OtherCookies)),
    ("signed-in-v4-floor", || floor(Format::V4, SIZES[0])),
    ("signed-in-v4-noop", || run(Stack::Tower, Front::NoOp, Format::V4, Sent::Good(SIZES[0]))),
    ("signed-in-v4-layer", || run(Stack::Tower, Front::Layer, Format::V4, Sent::Good(SIZES[0]))),
    ("signed-in-v4-axum-noop", || run(Stack::Axum, Front::NoOp, Format::V4, Sent::Good(SIZES[0]))),
    ("signed-in-v4-axum-layer", || run(Stack::Axum, Front::Layer, Format::V4, Sent::Good(SIZES[0]))),
    ("signed-in-v5-floor", || floor(Format::V5, SIZES[0])),
    ("signed-in-v5-noop", || run(Stack::Tower, Front::NoOp, Format::V5, Sent::Good(SIZES[0]))),
    ("signed-in-v5-layer", || run(Stack::Tower, Front::Layer, Format::V5, Sent::Good(SIZES[0]))),
    ("garbage-v4-layer", || run(Stack::Tower, Front::Layer, Format::V4, Sent::Garbage(SIZES[0]))),
    ("tampered-v4-layer", || run(Stack::Tower, Front::Layer, Format::V4, Sent::Tampered(SIZES[0]))),
    ("stored-memory-noop", || rows::run_in_memory(Stack::Tower, Front::NoOp)),
    ("stored-memory-layer", || rows::run_in_memory(Stack::Tower, Front::Layer)),
    ("stored-memory-axum-noop", || rows::run_in_memory(Stack::Axum, Front::NoOp)),
    ("stored-memory-axum-layer", || rows::run_in_memory(Stack::Axum, Front::Layer)),
    ("guard-axum-handler", || run(Stack::Axum, Front::Open, Format::V4, Sent::Nothing)),
    ("guard-axum-json", || run(Stack::Axum, Front::Guard, Format::V4, Sent::Nothing)),
    ("guard-axum-page", || run(Stack::Axum, Front::PageGuard, Format::V4, Sent::Nothing)),
    ("guard-axum-passing", || run(Stack::Axum, Front::Guard, Format::V4, Sent::Good(SIZES[0]))),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments[..] {
        [name, count] => repeat(name, count.parse().unwrap()),
        [list] if list == "--list" => PATHS.iter().for_each(|(name, _)| println!("{name}")),
        _ if is_test() => PATHS.iter().for_each(|(name, _)| repeat(name, 1)),
        _ => println!("scripts/instructions counts with this; see there"),
    }
}

fn repeat(name: &str, count: usize) {
    let (_, path) = PATHS.iter().find(|(known, _)| *known == name).unwrap();
    let mut run = path();
    (0..count).for_each(|_| run());
}
