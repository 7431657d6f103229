//! The laws that every part obeys, as functions that a plugin's own tests call:
//! `fmicl_core::testing::check_divergence(&MyDivergence {})`. Each panics with the law that is broken.

mod divergence;
mod objective;
mod similarity;

pub use divergence::check_divergence;
pub use objective::check_objective;
pub use similarity::check_similarity;

use tch::{Device, Kind, Tensor};

/// `count` random unit-length rows `[count, d]` from a seed.
pub fn unit_rows(count: i64, d: i64, kind: Kind, seed: i64) -> Tensor {
    tch::manual_seed(seed);
    let rows = Tensor::randn([count, d], (Kind::Double, Device::Cpu));
    let norm = rows.norm_scalaropt_dim(2.0, [1].as_slice(), true);
    (rows / norm).to_kind(kind)
}

/// The largest of `|a - b| / max(1, |b|)`.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let scale = b.abs().clamp_min(1.0);
    ((a - b).abs() / scale).max().double_value(&[])
}
