//! Sealing and opening tokens, and deriving keys.

#![allow(clippy::unwrap_used, reason = "a bench that cannot run should say so and stop")]

mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};

use support::tokens::{Format, SIZES, claims, kilobytes};

const FORMATS: &[Format] = &[
    Format::V3,
    Format::V4,
    Format::V5,
    #[cfg(feature = "_jws")]
    Format::Jws,
];

fn main() {
    let mut criterion = support::criterion();
    for &format in FORMATS {
        tokens(&mut criterion, format);
    }
    keys(&mut criterion);
    criterion.final_summary();
}

fn tokens(criterion: &mut Criterion, format: Format) {
    let codec = format.codec();
    let mut group = criterion.benchmark_group(format!("codec, {format}"));
    for size in SIZES {
        let claims = claims(size);
        let token = codec.encode(&claims).unwrap();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("encode", kilobytes(size)), |bencher| {
            bencher.iter(|| codec.encode(black_box(&claims)).unwrap());
        });
        group.bench_function(BenchmarkId::new("decode", kilobytes(size)), |bencher| {
            bencher.iter(|| codec.decode(black_box(&token)).unwrap());
        });
    }
    group.finish();
}

/// Done once, when the configuration is built; here to show why.
fn keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key derivation");
    for &format in FORMATS {
        group.bench_function(format.to_string(), |bencher| bencher.iter(|| format.codec()));
    }
    group.finish();
}
