//! InfoNCE's estimate of the mutual information is never below that of the KL f-MICL: by Jensen's inequality, since
//! InfoNCE takes the logarithm of each anchor's mean over its candidates and f-MICL a tangent of it.
//!
//! The inequality is one between the two formulas where both average over the same candidates. InfoNCE counts the
//! positive among them, so the f-MICL that it bounds does, too.

use super::Claim;
use fmicl_core::testing::unit_rows;
use fmicl_core::{Loss, Negatives, Objective, Pairing, Part, Result, normalize};
use tch::Kind;

const N: i64 = 64;

/// The least margin over random features, related and not, and several temperatures.
pub fn bounds_kl() -> Result<Claim> {
    let mut worst = f64::NEG_INFINITY;
    for tau in [0.1, 0.5, 1.0] {
        let infonce = objective(&format!("name = 'infonce'\ntemperature = {tau:?}"))?;
        let (sigma, mu) = (f64::sqrt(tau), f64::exp(1.0 / tau));
        let kl = objective(&format!(
            "name = 'f-micl'\ndivergence = 'kl'\nnegatives = 'both'\n\
             similarity = {{ name = 'gaussian', sigma = {sigma:?}, mu = {mu:?} }}"
        ))?;
        for (seed, related) in (0..5).flat_map(|seed| [0.0, 0.5, 1.0].map(|related| (seed, related))) {
            let x = unit_rows(N, 16, Kind::Double, seed);
            let noise = unit_rows(N, 16, Kind::Double, seed + 100);
            let y = &x * related + noise * (1.0 - related);
            let y = normalize(&y);
            let pairing = || Pairing {
                anchors: x.shallow_clone(),
                positives: y.shallow_clone(),
                negatives: Negatives::Batch,
            };
            let kl = kl.loss(&pairing());
            let positives = ((&x * &y).sum_dim_intlist([1i64].as_slice(), false, None) / tau).exp();
            let negatives = (2 * N - 2) as f64;
            let candidates =
                (negatives * term(&kl, "penalty") + positives.mean(None).double_value(&[])) / (negatives + 1.0);
            let bounded = term(&kl, "reward") - candidates;
            worst = worst.max(bounded - term(&infonce.loss(&pairing()), "f_mi"));
        }
    }
    let claim = "KL f-MICL minus InfoNCE, the most over 45 random batches";
    Ok(Claim::at_most("infonce, kl", claim, worst, 1e-12))
}

/// An objective from TOML.
pub(super) fn objective(options: &str) -> Result<Part<dyn Objective>> {
    Part::from_value(toml::Value::Table(self::options(options)?))
}

/// Options from TOML.
pub(super) fn options(text: &str) -> Result<toml::Table> {
    let table = text.parse::<toml::Table>();
    table.map_err(|error| fmicl_core::Error::config(error.message().to_string()))
}

/// A term of a loss; NaN, which no claim survives, if it has none of that name.
pub(super) fn term(loss: &Loss, name: &str) -> f64 {
    let found = loss.terms.iter().find(|(term, _)| *term == name);
    found.map_or(f64::NAN, |(_, value)| value.double_value(&[]))
}
