//! The mean of a function of the cosine over pairs, ready for autograd.

use super::grid::{Gradient, Tile};
use super::{OfCosine, Pairs};
use crate::compute::threads::deal_with;
use crate::distributed::together;
use tch::{Kind, Tensor};

/// A mean over pairs.
#[derive(Debug)]
pub struct Mean {
    /// The mean, a scalar with gradient to every feature that requires it.
    pub value: Tensor,
    /// The mean slope with respect to the argument of the map, without gradient: the derivative of `value` if all
    /// arguments move together.
    pub slope: Tensor,
}

/// Mean of `of` over the pairs, a scalar with gradient to every feature that requires it.
pub fn mean(of: &OfCosine, pairs: Pairs) -> Tensor {
    mean_with_slope(of, pairs).value
}

/// Mean of `of` and of its slope over the pairs. Memory is `O(N d + T^2)` per thread.
pub fn mean_with_slope(of: &OfCosine, pairs: Pairs) -> Mean {
    let grid = pairs.grid();
    let anchors = grid.anchors();
    let count = (anchors.size()[0] * pairs.others()) as f64;
    let shape = grid.requires_grad().then(|| grid.shape());
    let device = anchors.device();
    let start = || {
        (
            Tensor::zeros([2], (Kind::Double, device)),
            shape.as_ref().map(Gradient::zero),
        )
    };
    let sums = deal_with(
        together::deal(grid.tiles()),
        device,
        start,
        |(sum, mut gradient), tiles: Vec<Tile>| {
            let add = |index: i64, matrix: &Tensor, times: f64| {
                let _ = sum.get(index).g_add_(&(matrix.sum(matrix.kind()) * times));
            };
            for tile in tiles {
                let (value, slope) = (of.map)(tile.cosines(of.scale, of.offset));
                // The value goes before the slope is masked: a tile takes two matrices at most, one where both share memory
                // (`kl`).
                let times = if tile.mirrored { 2.0 } else { 1.0 };
                let value = tile.exclude(value, 0.0);
                add(0, &value, times);
                drop(value);
                let slope = tile.exclude(slope, 0.0);
                add(1, &slope, times);
                if let Some(gradient) = &mut gradient {
                    gradient.add(&tile, &slope);
                }
            }
            (sum, gradient)
        },
    );
    // Over the threads, then the processes.
    let (sums, gradients): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    let sum = together::gathered(Tensor::stack(&sums, 0).sum_dim_intlist([0].as_slice(), false, None));
    let mean = (sum.sum_dim_intlist([0].as_slice(), false, None) / count).to_kind(anchors.kind());
    let (mut value, slope) = (mean.get(0), mean.get(1));
    let gradients: Vec<_> = gradients.into_iter().flatten().collect();
    if gradients.is_empty() {
        return Mean { value, slope };
    }
    // In a symmetric sum x_i is in the pairs (i, j) and (j, i), with the same slope; `Gradient::add` adds only (i, j).
    let times = if grid.is_symmetric() { 2.0 } else { 1.0 };
    value = grid.zero_with(gradients, times * of.scale / count) + value;
    Mean { value, slope }
}
