//! What the layer and the guard add to a request, beside what the same stack costs without them.
//!
//! `cargo bench --bench request`; with `--features jws` signed tokens too. The ratios that are promised are
//! printed by the bench `ratios`.

mod support;

use criterion::Criterion;

use support::{
    Run,
    floor::floor,
    stacks::{Front, Stack, run},
    tokens::{Format, SIZES, Sent, kilobytes},
};

fn main() {
    let mut criterion = support::criterion();
    anonymous(&mut criterion);
    for &format in Format::MEASURED {
        for size in SIZES {
            signed_in(&mut criterion, format, size);
            refused_cookie(&mut criterion, "garbage cookie", format, Sent::Garbage(size), size);
            refused_cookie(&mut criterion, "tampered cookie", format, Sent::Tampered(size), size);
        }
    }
    guard_refusing(&mut criterion);
    guard_passing(&mut criterion);
    criterion.final_summary();
}

fn anonymous(criterion: &mut Criterion) {
    group(criterion, "anonymous", |add| {
        for stack in Stack::PLAIN {
            for front in [Front::Nothing, Front::NoOp, Front::Layer] {
                add(format!("{stack}, {front}"), run(stack, front, Format::V4, Sent::Nothing));
            }
            for front in [Front::NoOp, Front::Layer] {
                add(
                    format!("{stack}, {front}, other cookies"),
                    run(stack, front, Format::V4, Sent::OtherCookies),
                );
            }
        }
    });
}

fn signed_in(criterion: &mut Criterion, format: Format, size: usize) {
    group(criterion, &format!("signed in, {format}, {}", kilobytes(size)), |add| {
        add("scan + open + parse alone".into(), floor(format, size));
        for stack in Stack::PLAIN {
            for front in [Front::Nothing, Front::NoOp, Front::Layer] {
                add(format!("{stack}, {front}"), run(stack, front, format, Sent::Good(size)));
            }
        }
    });
}

fn refused_cookie(criterion: &mut Criterion, kind: &str, format: Format, sent: Sent, size: usize) {
    group(criterion, &format!("{kind}, {format}, {}", kilobytes(size)), |add| {
        for stack in Stack::PLAIN {
            add(format!("{stack}, no-op"), run(stack, Front::NoOp, format, sent));
            add(format!("{stack}, layer, good cookie"), run(stack, Front::Layer, format, Sent::Good(size)));
            add(format!("{stack}, layer"), run(stack, Front::Layer, format, sent));
        }
    });
}

fn guard_refusing(criterion: &mut Criterion) {
    group(criterion, "guard refusing", |add| {
        for stack in [Stack::Tower, Stack::Axum, Stack::AxumPage] {
            for front in [Front::Nothing, Front::Layer, Front::Open, Front::Guard, Front::PageGuard] {
                add(format!("{stack}, {front}"), run(stack, front, Format::V4, Sent::Nothing));
            }
        }
    });
}

fn guard_passing(criterion: &mut Criterion) {
    let sent = Sent::Good(SIZES[0]);
    group(criterion, "guard passing", |add| {
        add("scan + open + parse alone".into(), floor(Format::V4, SIZES[0]));
        for stack in Stack::PLAIN {
            for front in [Front::NoOp, Front::Layer, Front::Open, Front::Guard] {
                add(format!("{stack}, {front}"), run(stack, front, Format::V4, sent));
            }
        }
    });
}

fn group(criterion: &mut Criterion, name: &str, fill: impl FnOnce(&mut dyn FnMut(String, Run))) {
    let mut group = criterion.benchmark_group(name);
    fill(&mut |name, mut run| {
        group.bench_function(name, |bencher| bencher.iter(&mut run));
    });
    group.finish();
}
