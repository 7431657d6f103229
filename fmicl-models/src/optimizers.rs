//! Optimizers, one file each, on the flat buffers of [`fmicl_core::Parameters`].

mod adamw;
mod lars;
mod sgd;

pub use adamw::AdamW;
pub use lars::Lars;
pub use sgd::Sgd;

use fmicl_core::tch::Tensor;
use fmicl_core::{Parameters, Result, require};

/// `y += a x` in place, without a temporary of `x`'s size: tch exposes neither torch's `add(alpha)` nor
/// `addcmul(value)`. `a` is filled in on the device, so nothing is copied or waited for.
fn add_scaled(y: &mut Tensor, a: f64, x: &Tensor) {
    let a = Tensor::full([0i64; 0], a, (x.kind(), x.device()));
    let _ = y.addcmul_(x, &a);
}

/// A zero for every parameter, one flat tensor a group.
fn zeros(parameters: &Parameters) -> Vec<Tensor> {
    parameters
        .groups
        .iter()
        .map(|group| group.values.zeros_like())
        .collect()
}

/// A moment's flat tensors, named `velocity.0` for the first group and so on.
fn named<'a>(moment: &'a str, tensors: &'a [Tensor]) -> impl Iterator<Item = (String, Tensor)> + 'a {
    tensors
        .iter()
        .enumerate()
        .map(move |(group, tensor)| (format!("{moment}.{group}"), tensor.shallow_clone()))
}

fn check_weight_decay(weight_decay: f64) -> Result<()> {
    require((0.0..=1e3).contains(&weight_decay), "weight_decay", || {
        format!("{weight_decay} is not from 0 to 1000")
    })
}
