//! The constant of the von Mises-Fisher distribution.

/// `log E e^{kappa x.y}` over two independent uniform points of the unit sphere in `dimension` >= 1 dimensions, `kappa` >=
/// 0. It is `log 0F1(; d / 2; kappa^2 / 4)`, of which all terms are positive, so that nothing cancels. NaN if `kappa` is not
/// finite, as that of a run that diverged.
///
/// Source: Mardia and Jupp, "Directional Statistics", 2000, section 9.3.2; for Lu et al., TMLR 2023, assumption 2, it is
/// `-log C` at `kappa = 1 / sigma^2`.
pub fn log_mean_exp_on_sphere(kappa: f64, dimension: i64) -> f64 {
    let (square, half) = (kappa * kappa / 4.0, dimension as f64 / 2.0);
    if !square.is_finite() {
        return f64::NAN;
    }
    // Sum and term in units of e^scale.
    let (mut sum, mut term, mut scale) = (1.0, 1.0, 0.0);
    for k in 0.. {
        let k = f64::from(k);
        term *= square / ((k + 1.0) * (half + k));
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
        if sum > 1e200 {
            (sum, term, scale) = (sum * 1e-200, term * 1e-200, scale + 1e200f64.ln());
        }
    }
    scale + f64::ln(sum)
}

#[cfg(test)]
mod tests {
    use super::log_mean_exp_on_sphere;

    #[test]
    fn it_is_elementary_in_one_and_three_dimensions() {
        for kappa in [1e-3, 0.5, 4.0, 100.0, 1e5f64] {
            // log cosh, and log (sinh kappa / kappa).
            let sum = (-2.0 * kappa).exp();
            let one = kappa + ((1.0 + sum) / 2.0).ln();
            let three = kappa + (-(-2.0 * kappa).exp_m1() / (2.0 * kappa)).ln();
            for (dimension, exact) in [(1, one), (3, three)] {
                let off = (log_mean_exp_on_sphere(kappa, dimension) - exact).abs() / exact.max(1e-3);
                assert!(off < 1e-9, "kappa = {kappa}, d = {dimension}: off by {off:e}");
            }
        }
    }

    #[test]
    fn it_is_not_a_number_where_kappa_is_none() {
        for kappa in [f64::NAN, f64::INFINITY, 1e200] {
            assert!(log_mean_exp_on_sphere(kappa, 8).is_nan(), "{kappa}");
        }
    }

    #[test]
    fn it_is_the_integral_over_the_angle_in_any_dimension() {
        // log of int sin^(d - 2) e^{kappa cos} / int sin^(d - 2), by the trapezoidal rule, which is exact to rounding here.
        let integral = |kappa: f64, dimension: i64| {
            const STEPS: i32 = 400_000;
            let terms: Vec<f64> = (1..STEPS)
                .map(|step| {
                    let angle = std::f64::consts::PI * f64::from(step) / f64::from(STEPS);
                    (dimension - 2) as f64 * angle.sin().ln() + kappa * angle.cos()
                })
                .collect();
            let most = terms.iter().copied().fold(f64::MIN, f64::max);
            most + terms.iter().map(|term| (term - most).exp()).sum::<f64>().ln()
        };
        for dimension in [4, 17, 512, 4096] {
            for kappa in [0.1, 2.0, 40.0, 2500.0] {
                let exact = integral(kappa, dimension) - integral(0.0, dimension);
                let off = (log_mean_exp_on_sphere(kappa, dimension) - exact).abs() / exact.max(1e-3);
                assert!(off < 1e-7, "kappa = {kappa}, d = {dimension}: off by {off:e}");
            }
        }
    }
}
