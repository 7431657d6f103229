//! The distribution of the pairs' cosines, in one pass over the tiles.

use super::Pairs;
use super::grid::Tile;
use crate::compute::threads::deal_with;
use crate::distributed::together;
use tch::{Kind, Tensor};

/// Number of bins from -1 to 1.
const BINS: i64 = 4096;

/// Weighted cosines that stand for all pairs: the mean of a smooth function of the cosine is its weighted sum.
pub(super) struct Nodes {
    /// `[2 BINS]`, f64.
    pub cosines: Tensor,
    /// `[2 BINS]`, f64; their sum is 1, and those of empty bins are 0.
    pub weights: Tensor,
}

/// Computes the nodes of `pairs`. Each bin has two, at its mean plus and minus its standard deviation, so that only third
/// moments within a bin of width `h = 2 / BINS` are lost: an error of the order of `h^3`.
pub(super) fn nodes(pairs: Pairs) -> Nodes {
    let grid = pairs.grid();
    let device = grid.anchors().device();
    let start = || Tensor::zeros([3, BINS], (Kind::Double, device));
    let moments = deal_with(
        together::deal(grid.tiles()),
        device,
        start,
        |moments, tiles: Vec<Tile>| {
            for tile in tiles {
                let times = if tile.mirrored { 2.0 } else { 1.0 };
                let mut all = moments.shallow_clone();
                let _ = all.g_add_(&(of_tile(&tile) * times));
            }
            moments
        },
    );
    let moments = together::gathered(Tensor::stack(&moments, 0).sum_dim_intlist([0].as_slice(), false, None));
    let moments = moments.sum_dim_intlist([0].as_slice(), false, None);
    let (counts, sums, squares) = (moments.get(0), moments.get(1), moments.get(2));
    let present = counts.clamp_min(1.0);
    let mean = sums / &present;
    let deviation = (squares / present - mean.square()).clamp_min(0.0).sqrt();
    let position = Tensor::arange(BINS, (Kind::Double, device)) + mean;
    let cosines = Tensor::cat(&[&position - &deviation, position + deviation], 0) * (2.0 / BINS as f64) - 1.0;
    let weights = &counts / (counts.sum(None::<Kind>) * 2.0);
    Nodes {
        cosines,
        weights: weights.repeat([2]),
    }
}

/// `[3, BINS]`: number of a tile's pairs in each bin, and the sums of their positions in it, from 0 to 1, and of these
/// squared.
fn of_tile(tile: &Tile) -> Tensor {
    let half = BINS as f64 / 2.0;
    // Pairs that do not count go to a bin of their own, which is dropped.
    let position = tile.exclude(tile.cosines(half, half).clamp_(0.0, BINS as f64), 2.0 * BINS as f64);
    // A feature that is not finite has no bin; it makes all moments NaN, and with them the loss, as without a shift.
    let poison = position.sum(None::<Kind>) * 0.0;
    let position = position.nan_to_num(2.0 * BINS as f64, None::<f64>, None::<f64>);
    let bin = position.floor().clamp_(0.0, 2.0 * BINS as f64);
    let inside = (&position - &bin.clamp_max((BINS - 1) as f64)).view(-1);
    // A cosine of 1 belongs to the last bin.
    let last = bin.eq(BINS as f64);
    let bin = bin
        .masked_fill(&last, (BINS - 1) as f64)
        .clamp_max_(BINS as f64)
        .to_kind(Kind::Int64)
        .view(-1);
    // Not `bincount`, which on a GPU waits for the largest bin to know its size.
    let sums = |values: &Tensor| {
        let empty = Tensor::zeros([BINS + 1], (values.kind(), values.device()));
        empty
            .index_add(0, &bin, values)
            .to_kind(Kind::Double)
            .narrow(0, 0, BINS)
    };
    // Counts in f64: f32 counts to 2^24 alone.
    let counts = sums(&inside.ones_like().to_kind(Kind::Double));
    Tensor::stack(&[counts, sums(&inside), sums(&inside.square())], 0) + poison
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_rows;

    #[test]
    fn the_nodes_have_the_mean_of_smooth_functions_over_the_pairs() {
        for kind in [Kind::Double, Kind::Float] {
            let x = unit_rows(700, 5, kind, 1);
            let nodes = nodes(Pairs::Within(&x));
            let cosines = x.matmul(&x.tr()).to_kind(Kind::Double);
            let kept = 1.0 - Tensor::eye(700, (Kind::Double, x.device()));
            for scale in [1.0, 4.0, 40.0] {
                let of = |cosines: &Tensor| ((cosines - 1.0) * scale).exp();
                let exact = (of(&cosines) * &kept).sum(None::<Kind>) / kept.sum(None::<Kind>);
                let by_nodes = (of(&nodes.cosines) * &nodes.weights).sum(None::<Kind>);
                let off = (by_nodes / exact - 1.0).abs().double_value(&[]);
                let bound = if kind == Kind::Double { 1e-9 } else { 2e-6 };
                assert!(off < bound, "{kind:?}, {scale}: off by {off:e}");
            }
        }
    }
}
