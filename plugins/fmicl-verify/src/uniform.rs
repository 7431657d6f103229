//! The constant of assumption 2: the mean ratio of two independent uniform features.

use super::Claim;
use fmicl_core::sphere::log_mean_exp_on_sphere;
use fmicl_core::testing::unit_rows;
use tch::Kind;

/// The closed form of `E e^(x.y / sigma^2)` against its mean over random pairs, in standard errors of that.
pub fn claims() -> Vec<Claim> {
    let settings = [(2, 0.5), (64, 0.5), (512, 0.1)];
    settings
        .map(|(dimension, temperature)| claim(dimension, temperature))
        .into()
}

fn claim(dimension: i64, temperature: f64) -> Claim {
    const PAIRS: i64 = 20_000;
    let (x, y) = (
        unit_rows(PAIRS, dimension, Kind::Double, 11),
        unit_rows(PAIRS, dimension, Kind::Double, 12),
    );
    let exact = log_mean_exp_on_sphere(temperature.recip(), dimension);
    let cosine = (x * y).sum_dim_intlist([1i64].as_slice(), false, None);
    let ratio = (cosine / temperature - exact).exp();
    let error = ratio.std(true).double_value(&[]) / (PAIRS as f64).sqrt();
    let off = ratio.mean(Kind::Double).double_value(&[]) - 1.0;
    Claim::at_most(
        "gaussian",
        format!(
            "mu = \"uniform\" in {dimension} dimensions, sigma^2 = {temperature}: mean ratio off 1, in standard errors"
        ),
        (off / error).abs(),
        4.0,
    )
}
