//! The pieces of the estimator on one tile and on many: `cargo bench -p fmicl-core`; `-- --test` runs everything once.

use criterion::{Criterion, criterion_group, criterion_main};
use fmicl_core::estimator::{OfCosine, Pairs, mean, tile, with_log_sums};
use fmicl_core::testing::unit_rows;
use tch::{Device, Kind, Tensor};

/// The features' width.
const D: i64 = 128;

fn exponential(cosine: Tensor) -> (Tensor, Tensor) {
    let mut cosine = cosine;
    let value = cosine.exp_();
    (value.shallow_clone(), value)
}

fn sums(criterion: &mut Criterion) {
    let side = tile(Device::Cpu, Kind::Float);
    for (name, n) in [("one tile", side), ("eight by eight tiles", 8 * side)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        let x = unit_rows(n, D, Kind::Float, 1).set_requires_grad(true);
        let y = unit_rows(n, D, Kind::Float, 2);
        let exponential = OfCosine::new(4.0, 0.0, exponential);
        let nothing = OfCosine::new(1.0, 0.0, |cosine| (cosine.shallow_clone(), cosine));
        group.bench_function("mean, products alone", |b| b.iter(|| mean(&nothing, Pairs::Within(&x))));
        group.bench_function("mean within", |b| b.iter(|| mean(&exponential, Pairs::Within(&x))));
        group.bench_function("mean across", |b| b.iter(|| mean(&exponential, Pairs::Cross(&x, &y))));
        for (name, scale) in [("log sums", 2.0), ("log sums, low temperature", 100.0)] {
            group.bench_function(name, |b| {
                b.iter(|| with_log_sums(Pairs::Within(&x), scale, |log_sums| log_sums.mean(None)))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, sums);
criterion_main!(benches);
