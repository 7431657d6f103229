//! The best shift of the critic.

use super::Claim;
use super::infonce::objective;
use fmicl_core::estimator::{Critics, Pairs, best_shift, with_slope};
use fmicl_core::testing::unit_rows;
use fmicl_core::{Divergence, Negatives, Pairing, Part, Result, Similarity};
use tch::Kind;

/// At the best shift the implied density ratio, `(f*)'(s - v)`, has a mean of 1 over the negatives.
pub fn normalises(name: &str, divergence: &dyn Divergence) -> Result<Claim> {
    let similarity = Part::<dyn Similarity>::new("gaussian", toml::Table::new())?;
    let x = unit_rows(64, 16, Kind::Double, 7);
    let critics = Critics::new(divergence, &*similarity);
    let (shift, _) = best_shift(critics, Pairs::Within(&x));
    let cosines = x.matmul(&x.tr());
    let others = cosines.masked_select(&tch::Tensor::eye(64, (Kind::Bool, x.device())).logical_not());
    let (low, high) = critics.bounds();
    let critic = (critics.reward(&others) - shift).clamp(low, high);
    let (_, ratio) = with_slope(&critic, |t| divergence.conjugate(t));
    let off = ratio.mean(Kind::Double).double_value(&[]) - 1.0;
    let claim = "at the best shift the implied ratio has a mean of 1: difference";
    Ok(Claim::at_most(name, claim, off.abs(), 1e-8))
}

/// `t alignment + uniformity` is the loss of `kl` with the Gaussian of `sigma^2 = 1 / (2 t)` at the best shift.
pub fn alignment_and_uniformity() -> Result<Claim> {
    let (x, y) = (unit_rows(64, 16, Kind::Double, 7), unit_rows(64, 16, Kind::Double, 8));
    let loss = |options: &str| -> Result<f64> {
        let pairing = Pairing {
            anchors: x.shallow_clone(),
            positives: y.shallow_clone(),
            negatives: Negatives::Keys,
        };
        Ok(objective(options)?.loss(&pairing).value.double_value(&[]))
    };
    let theirs = loss("name = 'align-uniform'\nalign = 2.0\nt = 2.0")?;
    let ours = loss(
        "name = 'f-micl'\ndivergence = 'kl'\nshift = 'best'\nsimilarity = { name = 'gaussian', temperature = 0.25, mu = 1.0 }",
    )?;
    let claim = "t alignment + uniformity against kl at the best shift, difference";
    Ok(Claim::at_most("align-uniform", claim, (theirs - ours).abs(), 1e-12))
}
