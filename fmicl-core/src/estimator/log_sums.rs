//! Softmax losses: `log sum e^{scale c}` over the pairs of each anchor, in two passes over the tiles.
//!
//! The first pass makes the sums, a running log-sum-exp. The second weighs each pair by its softmax times how much the
//! loss depends on its anchor's sum, which is known by then, and carries that back to the features.

use super::Pairs;
use super::grid::{Grid, Tile};
use tch::{Kind, Tensor};

/// `loss(l)` with gradient to every feature that requires it, where `l_i = log sum_j e^{scale c_ij}` over the pairs of
/// anchor `i`, `[M]` (`[2N]` for [`Pairs::Both`]). `loss` gives a scalar; it may use other tensors with gradient, such
/// as the positives' cosines. `scale` is above 0: one over the temperature. Memory is `O(N d + T^2)`.
pub fn with_log_sums(pairs: Pairs, scale: f64, loss: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
    let grid = pairs.grid();
    let pass = Pass::new(&grid, scale);
    let log_sums = tch::no_grad(|| pass.log_sums(&grid));
    if !grid.requires_grad() {
        return loss(&log_sums);
    }
    let log_sums = log_sums.set_requires_grad(true);
    let value = loss(&log_sums);
    let dependence = Tensor::run_backward(&[&value], &[&log_sums], true, false).remove(0);
    let gradient = tch::no_grad(|| {
        let weights = pass.weights(&log_sums.detach(), &dependence);
        let mut gradient = grid.gradient();
        for tile in grid.tiles() {
            gradient.add(&tile, &pass.weigh(&tile, &weights));
        }
        gradient
    });
    value + grid.zero_with(gradient, scale)
}

struct Pass {
    scale: f64,
    symmetric: bool,
    /// Whether `e^{scale (c - 1)}` of any two cosines is a number, so that no maximum need be searched: each pair then
    /// has one exponential for its row, its column and all of the passes.
    narrow: bool,
}

/// What a pair's weight is made of.
struct Weights {
    log_sums: Tensor,
    dependence: Tensor,
    /// `dependence * e^{scale - log_sum}`.
    factors: Tensor,
}

impl Pass {
    fn new(grid: &Grid, scale: f64) -> Self {
        let largest = if grid.anchors().kind() == Kind::Double {
            600.0
        } else {
            80.0
        };
        Pass {
            scale,
            symmetric: grid.is_symmetric(),
            narrow: 2.0 * scale <= largest,
        }
    }

    /// `e^{scale (c - 1)}`, 0 where a pair does not count.
    fn exponentials(&self, tile: &Tile) -> Tensor {
        tile.exclude(tile.cosines(self.scale, -self.scale).exp_(), 0.0)
    }

    /// `scale c`, minus infinity where a pair does not count.
    fn logits(&self, tile: &Tile) -> Tensor {
        tile.exclude(tile.cosines(self.scale, 0.0), f64::NEG_INFINITY)
    }

    fn log_sums(&self, grid: &Grid) -> Tensor {
        let anchors = grid.anchors();
        let start = if self.narrow { 0.0 } else { f64::NEG_INFINITY };
        let sums = Tensor::full([anchors.size()[0]], start, (anchors.kind(), anchors.device()));
        for tile in grid.tiles() {
            let matrix = if self.narrow {
                self.exponentials(&tile)
            } else {
                self.logits(&tile)
            };
            let add = |(first, count): (i64, i64), dim: i64| {
                let mut running = sums.narrow(0, first, count);
                let _ = if self.narrow {
                    running.g_add_(&matrix.sum_dim_intlist([dim].as_slice(), false, None))
                } else {
                    let both = running.logaddexp(&matrix.logsumexp([dim].as_slice(), false));
                    running.copy_(&both);
                    both
                };
            };
            add(tile.rows, 1);
            if tile.mirrored {
                add(tile.columns, 0);
            }
        }
        if self.narrow { sums.log() + self.scale } else { sums }
    }

    fn weights(&self, log_sums: &Tensor, dependence: &Tensor) -> Weights {
        Weights {
            log_sums: log_sums.shallow_clone(),
            dependence: dependence.shallow_clone(),
            factors: dependence * (-log_sums + self.scale).exp(),
        }
    }

    /// The weights of a tile's pairs: `g_i p_ij`, where `p` is the softmax of a row and `g` the dependence; in a symmetric
    /// matrix, where a pair is one of its column too, `g_i p_ij + g_j p_ji`.
    fn weigh(&self, tile: &Tile, weights: &Weights) -> Tensor {
        let of_rows = |of: &Tensor| of.narrow(0, tile.rows.0, tile.rows.1).unsqueeze(1);
        let of_columns = |of: &Tensor| of.narrow(0, tile.columns.0, tile.columns.1).unsqueeze(0);
        if self.narrow {
            let factors = match self.symmetric {
                true => of_rows(&weights.factors) + of_columns(&weights.factors),
                false => of_rows(&weights.factors),
            };
            return self.exponentials(tile).g_mul_(&factors);
        }
        let logits = self.logits(tile);
        let softmax =
            |of: &dyn Fn(&Tensor) -> Tensor| (&logits - of(&weights.log_sums)).exp_() * of(&weights.dependence);
        match self.symmetric {
            true => softmax(&of_rows) + softmax(&of_columns),
            false => softmax(&of_rows),
        }
    }
}
