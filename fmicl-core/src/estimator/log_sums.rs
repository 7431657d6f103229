//! Softmax losses: `log sum e^{scale c}` over the pairs of each anchor, in two passes over the tiles.
//!
//! The first pass computes the sums, a running log-sum-exp. The second weighs each pair by its softmax times the
//! gradient of the loss with respect to its anchor's sum, and multiplies with the features.

use super::Pairs;
use super::grid::{Gradient, Grid, Tile};
use crate::compute::threads::deal_with;
use crate::distributed::together;
use std::f64::consts::LOG2_E;
use tch::{Kind, Tensor};

/// Returns `loss(l)` with gradient to every feature that requires it, with `l_i = log sum_j e^{scale c_ij}` over the
/// pairs of anchor `i`, `[M]` (`[2N]` for [`Pairs::Both`]). `loss` returns a scalar; it may use other tensors with
/// gradient, such as the positives' cosines. `scale`, above 0, is one over the temperature. Memory is `O(N d + T^2)`
/// per thread.
pub fn with_log_sums(pairs: Pairs, scale: f64, loss: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
    let grid = pairs.grid();
    Softmax::new(&grid, scale).with_log_sums(&grid, loss)
}

/// `log mean e^{scale c}` over all pairs, a scalar with gradient to every feature that requires it.
pub fn log_mean_exp(pairs: Pairs, scale: f64) -> Tensor {
    with_log_sums(pairs, scale, log_mean(pairs))
}

/// `log mean e^{x.y}` over all pairs of features of any length, a scalar with gradient to every feature that requires it.
pub(super) fn log_mean_exp_of_products(pairs: Pairs) -> Tensor {
    // Nothing is known of the largest product.
    let softmax = Softmax {
        scale: 1.0,
        narrow: false,
    };
    softmax.with_log_sums(&pairs.grid(), log_mean(pairs))
}

/// The logarithm of the mean over all pairs, of the anchors' `log sum`.
fn log_mean(pairs: Pairs) -> impl FnOnce(&Tensor) -> Tensor {
    let others = pairs.others() as f64;
    move |log_sums| {
        let count = log_sums.size()[0] as f64 * others;
        log_sums.logsumexp([0].as_slice(), false) - count.ln()
    }
}

/// Returns true if `e^{scale (c - 1)}` is a normal number of the kind for every cosine. The exponent is from `-2 scale` to 0,
/// and the smallest normal numbers are `e^-87` in f32 (whose range bf16 has) and `e^-708` in f64. The limits keep some
/// distance, so that the small values still have all their digits when they are weighted.
pub(super) fn is_narrow(scale: f64, kind: Kind) -> bool {
    2.0 * scale <= if kind == Kind::Double { 600.0 } else { 80.0 }
}

#[derive(Debug, Clone, Copy)]
struct Softmax {
    scale: f64,
    /// [`is_narrow`]. No maximum is needed then, and each pair has one exponential for its row and its column.
    narrow: bool,
}

/// Weights of an anchor's pairs, `[rows]` or `[columns]` of a tile.
struct Anchors {
    log_sums: Tensor,
    /// The gradient of the loss with respect to them; where the softmax is narrow, times `e^{scale - log_sums}`.
    dependence: Tensor,
}

impl Softmax {
    fn new(grid: &Grid, scale: f64) -> Self {
        Softmax {
            scale,
            narrow: is_narrow(scale, grid.anchors().kind()),
        }
    }

    /// As the function of that name.
    fn with_log_sums(self, grid: &Grid, loss: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
        let log_sums = self.log_sums(grid);
        if !grid.requires_grad() {
            return loss(&log_sums);
        }
        let log_sums = log_sums.set_requires_grad(true);
        let value = loss(&log_sums);
        let dependence = Tensor::run_backward(&[&value], &[&log_sums], true, false).remove(0);
        let gradients = self.gradients(grid, &log_sums.detach(), &dependence);
        value + grid.zero_with(gradients, self.scale)
    }

    /// `e^{scale (c - 1)}`, 0 where a pair does not count.
    fn exponentials(self, tile: &Tile) -> Tensor {
        // 2^x is faster, see `exp`, and here its factor is for nothing.
        let scale = self.scale * LOG2_E;
        tile.exclude(tile.cosines(scale, -scale).exp2_(), 0.0)
    }

    /// `scale c`, minus infinity where a pair does not count.
    fn logits(self, tile: &Tile) -> Tensor {
        tile.exclude(tile.cosines(self.scale, 0.0), f64::NEG_INFINITY)
    }

    /// The first pass.
    fn log_sums(self, grid: &Grid) -> Tensor {
        let anchors = grid.anchors();
        let (size, options) = (anchors.size()[0], (anchors.kind(), anchors.device()));
        let empty = if self.narrow { 0.0 } else { f64::NEG_INFINITY };
        let start = || Tensor::full([size], empty, options);
        let sums = deal_with(
            together::deal(grid.tiles()),
            anchors.device(),
            start,
            |sums, tiles: Vec<Tile>| {
                for tile in tiles {
                    self.add_sums(&tile, &sums);
                }
                sums
            },
        );
        // First over the threads, then over the processes.
        let total = |sums: Tensor| match self.narrow {
            true => sums.sum_dim_intlist([0].as_slice(), false, None),
            false => sums.logsumexp([0].as_slice(), false),
        };
        let sums = total(together::gathered(total(Tensor::stack(&sums, 0))));
        match self.narrow {
            true => sums.log() + self.scale,
            false => sums,
        }
    }

    /// Adds a tile's exponentials to the sums of its rows, and of its columns where it stands for both.
    fn add_sums(self, tile: &Tile, sums: &Tensor) {
        let matrix = match self.narrow {
            true => self.exponentials(tile),
            false => self.logits(tile),
        };
        let add = |mut sums: Tensor, dim: i64| {
            if self.narrow {
                let _ = sums.g_add_(&matrix.sum_dim_intlist([dim].as_slice(), false, None));
            } else {
                let both = sums.logaddexp(&matrix.logsumexp([dim].as_slice(), false));
                sums.copy_(&both);
            }
        };
        add(tile.of_rows(sums), 1);
        if tile.mirrored {
            add(tile.of_columns(sums), 0);
        }
    }

    /// The second pass.
    fn gradients(self, grid: &Grid, log_sums: &Tensor, dependence: &Tensor) -> Vec<Gradient> {
        let symmetric = grid.is_symmetric();
        let dependence = &match self.narrow {
            true => (self.scale - log_sums).exp() * dependence,
            false => dependence.shallow_clone(),
        };
        let tiles = together::deal(grid.tiles()).into_iter().map(|tile| {
            let rows = Anchors {
                log_sums: tile.of_rows(log_sums).unsqueeze(1),
                dependence: tile.of_rows(dependence).unsqueeze(1),
            };
            // In a symmetric matrix a pair is one of its column's anchor, too.
            let columns = symmetric.then(|| Anchors {
                log_sums: tile.of_columns(log_sums).unsqueeze(0),
                dependence: tile.of_columns(dependence).unsqueeze(0),
            });
            (tile, rows, columns)
        });
        let (shape, device) = (grid.shape(), log_sums.device());
        deal_with(
            tiles.collect(),
            device,
            || Gradient::zero(&shape),
            |mut gradient, tiles: Vec<(Tile, Anchors, Option<Anchors>)>| {
                for (tile, rows, columns) in tiles {
                    gradient.add(&tile, &self.weights(&tile, &rows, columns.as_ref()));
                }
                gradient
            },
        )
    }

    /// The weights of a tile's pairs: the softmax of the row's anchor times its dependence, plus that of the column's.
    fn weights(self, tile: &Tile, rows: &Anchors, columns: Option<&Anchors>) -> Tensor {
        let total = |of: &dyn Fn(&Anchors) -> Tensor| match columns {
            Some(columns) => of(rows) + of(columns),
            None => of(rows),
        };
        if self.narrow {
            let weights = self.exponentials(tile);
            match columns {
                // Some rows at a time, whose factors stay in the cache.
                Some(columns) => {
                    for (mut some, of_rows) in weights.split(64, 0).into_iter().zip(rows.dependence.split(64, 0)) {
                        let _ = some.g_mul_(&(of_rows + &columns.dependence));
                    }
                }
                None => {
                    let _ = weights.shallow_clone().g_mul_(&rows.dependence);
                }
            }
            return weights;
        }
        let logits = self.logits(tile);
        total(&|anchors| (&logits - &anchors.log_sums).exp() * &anchors.dependence)
    }
}
