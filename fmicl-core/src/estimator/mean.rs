//! The mean of a function of the cosine over pairs, ready for autograd.

use super::grid::{Gradient, Tile};
use super::{OfCosine, Pairs};
use crate::compute::threads::deal_with;
use crate::distributed::together;
use tch::{Kind, Tensor};

/// Mean of `of` over the pairs, a scalar with gradient to every feature that requires it. Memory is `O(N d + T^2)` per
/// thread.
pub fn mean(of: &OfCosine, pairs: Pairs) -> Tensor {
    let grid = pairs.grid();
    let anchors = grid.anchors();
    let count = (anchors.size()[0] * pairs.others()) as f64;
    let shape = grid.requires_grad().then(|| grid.shape());
    let device = anchors.device();
    let start = || {
        (
            Tensor::zeros([], (Kind::Double, device)),
            shape.as_ref().map(Gradient::zero),
        )
    };
    let sums = deal_with(
        together::deal(grid.tiles()),
        device,
        start,
        |(mut sum, mut gradient), tiles: Vec<Tile>| {
            for tile in tiles {
                let (value, slope) = (of.map)(tile.cosines(of.scale, of.offset));
                // One after the other, so that a tile's memory is that of the two, which may be one.
                let times = if tile.mirrored { 2.0 } else { 1.0 };
                let value = tile.exclude(value, 0.0);
                let _ = sum.g_add_(&(value.sum(value.kind()) * times));
                drop(value);
                if let Some(gradient) = &mut gradient {
                    gradient.add(&tile, &tile.exclude(slope, 0.0));
                }
            }
            (sum, gradient)
        },
    );
    let (sums, gradients): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    let sum = together::gathered(Tensor::stack(&sums, 0).sum(None)).sum(None);
    let mean = (sum / count).to_kind(anchors.kind());
    let gradients: Vec<_> = gradients.into_iter().flatten().collect();
    if gradients.is_empty() {
        return mean;
    }
    // In a symmetric matrix each feature is in a pair once as a row and once as a column.
    let times = if grid.is_symmetric() { 2.0 } else { 1.0 };
    grid.zero_with(gradients, times * of.scale / count) + mean
}
