//! Two losses of others as special cases of f-MICL.

use super::Claim;
use super::infonce::{objective, term};
use fmicl_core::testing::unit_rows;
use fmicl_core::{Loss, Negatives, Pairing, Result};
use tch::Kind;

/// Losses of the same random features.
fn losses<const N: usize>(objectives: [&str; N]) -> Result<[Loss; N]> {
    let (x, y) = (unit_rows(64, 16, Kind::Double, 7), unit_rows(64, 16, Kind::Double, 8));
    let losses: Result<Vec<Loss>> = objectives
        .iter()
        .map(|options| {
            let pairing = Pairing {
                anchors: x.shallow_clone(),
                positives: y.shallow_clone(),
                negatives: Negatives::Keys,
            };
            Ok(objective(options)?.loss(&pairing))
        })
        .collect();
    losses?
        .try_into()
        .map_err(|_| unreachable!("a loss for each objective"))
}

/// Alignment and Uniformity with exponent 2 and `t`: `kl` with the Gaussian of `sigma^2 = 1 / (2 t)`, `mu = 1`, has the
/// reward `1 - t alignment` and the penalty `e^uniformity`, so the two differ by a logarithm around the penalty.
pub fn alignment_and_uniformity() -> Result<[Claim; 2]> {
    let [au, kl] = losses([
        "name = 'align-uniform'\nt = 2.0",
        "name = 'f-micl'\ndivergence = 'kl'\nsimilarity = { name = 'gaussian', sigma = 0.5, mu = 1.0 }",
    ])?;
    let reward = 1.0 - 2.0 * term(&au, "align") - term(&kl, "reward");
    let penalty = term(&au, "uniform") - term(&kl, "penalty").ln();
    let of = "align-uniform";
    Ok([
        Claim::at_most(
            of,
            "1 - t alignment against kl's reward, difference",
            reward.abs(),
            1e-12,
        ),
        Claim::at_most(
            of,
            "uniformity against the log of kl's penalty, difference",
            penalty.abs(),
            1e-12,
        ),
    ])
}

/// The Spectral Contrastive Loss: `pearson` with the linear critic `2 c - 2`, but for the constant 1.
pub fn spectral() -> Result<Claim> {
    let [spectral, pearson] = losses([
        "name = 'spectral'",
        "name = 'f-micl'\ndivergence = 'pearson'\nshift = 'none'\nsimilarity = { name = 'linear', slope = 2.0, offset = -2.0 }",
    ])?;
    let off = pearson.value.double_value(&[]) - (spectral.value.double_value(&[]) + 1.0);
    Ok(Claim::at_most(
        "spectral",
        "against pearson with a linear critic, but for the constant 1, difference",
        off.abs(),
        1e-12,
    ))
}
