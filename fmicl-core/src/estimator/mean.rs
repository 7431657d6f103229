//! The mean of a function of the cosine over pairs, ready for autograd.

use super::{OfCosine, Pairs};
use tch::{Kind, Tensor};

/// The mean of `of` over the pairs, a scalar with gradient to every feature that requires it. Memory is `O(N d + T^2)`.
pub fn mean(of: &OfCosine, pairs: Pairs) -> Tensor {
    let grid = pairs.grid();
    let anchors = grid.anchors();
    let count = (anchors.size()[0] * pairs.others()) as f64;
    let mut gradient = grid.requires_grad().then(|| grid.gradient());
    let sum = tch::no_grad(|| {
        let mut sum = Tensor::zeros([], (Kind::Double, anchors.device()));
        for tile in grid.tiles() {
            let (value, slope) = (of.map)(tile.cosines(of.scale, of.offset));
            let (value, slope) = (tile.exclude(value, 0.0), tile.exclude(slope, 0.0));
            let times = if tile.mirrored { 2.0 } else { 1.0 };
            let _ = sum.g_add_(&(value.sum(value.kind()) * times));
            if let Some(gradient) = &mut gradient {
                gradient.add(&tile, &slope);
            }
        }
        sum
    });
    let mean = (sum / count).to_kind(anchors.kind());
    // In a symmetric matrix each feature is in a pair once as a row and once as a column.
    let times = if grid.is_symmetric() { 2.0 } else { 1.0 };
    match gradient {
        Some(gradient) => grid.zero_with(gradient, times * of.scale / count) + mean,
        None => mean,
    }
}
