//! Sums over pairs of features, value and gradient together, tile by tile.
//!
//! The negative term of f-MICL needs only `sum h(c_ij)` and, for the gradient, the matrix of `h'(c_ij)` times the
//! features, where `c` is the cosine and `h` the penalty. Each tile is one matrix product, an elementwise map, a
//! reduction and the product(s) that carry the slopes back; no `N x N` matrix ever exists, so memory is `O(N d + T^2)`
//! for each thread. Softmax losses take two passes over the same tiles. Tiles are divided between the processes of a
//! run ([`crate::together`]) and the threads of each, and the partial sums are added at the end.
//!
//! | to read | in |
//! |---|---|
//! | the objective `f-micl` | [`FMicl`] |
//! | which pairs count | [`Pairs`] |
//! | the mean of a function of the cosine | [`mean`], [`OfCosine`]; f-MICL's is [`Critics::penalty`] |
//! | `log sum e^{scale c}` of each feature | [`with_log_sums`], over all of them [`log_mean_exp`] |
//! | learned factors of a log ratio | [`FMicl`], `estimator/line.rs` |
//! | the best shift of a critic | [`best_shift`] |
//! | a fast `e^x` for a tile | [`exp`] |
//! | how large a tile is | [`tile`], [`set_tile`] |

mod critics;
mod exp;
mod f_micl;
mod grid;
mod histogram;
mod line;
mod log_sums;
mod mean;
mod of_cosine;
mod pairs;
mod product;
mod repulsion;
mod scalar;
mod shift;
mod side;

pub use critics::Critics;
pub use exp::exp;
pub use f_micl::{FMicl, Shift};
pub use log_sums::{log_mean_exp, with_log_sums};
pub use mean::{Mean, mean, mean_with_slope};
pub use of_cosine::{OfCosine, with_slope};
pub use pairs::Pairs;
pub use scalar::Scalar;
pub use shift::best_shift;
pub use side::{set_tile, tile};

use tch::Tensor;

/// Returns a scalar that is 0 and whose gradient with respect to `features` is `gradient`: tch has no custom autograd
/// function, but `<x, g> - <x, g>` without gradient is exactly that.
fn zero_with_gradient(features: &Tensor, gradient: Tensor) -> Tensor {
    // As one product of vectors, it needs no other matrix.
    let inner = features.reshape(-1).dot(&gradient.view(-1));
    &inner - inner.detach()
}
