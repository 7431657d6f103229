//! A straight line through points of known uncertainty: weighted least squares.

/// A point with the standard error of its ordinate.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Abscissa, without error.
    pub x: f64,
    /// Ordinate.
    pub y: f64,
    /// Its standard error, above 0.
    pub error: f64,
}

/// The line `y = intercept + slope x`.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Ordinate at 0.
    pub intercept: f64,
    /// Slope.
    pub slope: f64,
    /// Standard error of the slope: that of the points' errors, times `sqrt(chi^2 / (n - 2))` where this is above 1, since
    /// points that are further from the line than their errors tell less about its slope (Birge's ratio).
    pub slope_error: f64,
    /// Share of the points' weighted variance that the line explains, up to 1.
    pub r_squared: f64,
}

impl Line {
    /// The line that minimises `sum ((y - intercept - slope x) / error)^2`; none through fewer than three points, or points of
    /// one abscissa.
    pub fn fit(points: &[Point]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let sum = |term: &dyn Fn(&Point) -> f64| {
            points
                .iter()
                .map(|point| term(point) / point.error.powi(2))
                .sum::<f64>()
        };
        let weight = sum(&|_| 1.0);
        let (x, y) = (sum(&|point| point.x) / weight, sum(&|point| point.y) / weight);
        let spread = sum(&|point| (point.x - x).powi(2));
        let slope = sum(&|point| (point.x - x) * (point.y - y)) / spread;
        let intercept = y - slope * x;
        let residual = sum(&|point| (point.y - intercept - slope * point.x).powi(2));
        let total = sum(&|point| (point.y - y).powi(2));
        let birge = (residual / (points.len() - 2) as f64).sqrt().max(1.0);
        let line = Line {
            intercept,
            slope,
            slope_error: birge / spread.sqrt(),
            r_squared: 1.0 - residual / total,
        };
        line.slope_error.is_finite().then_some(line)
    }

    /// Ordinate at an abscissa.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// The sigma of `y = const - x / (2 sigma^2)`, and its standard error; none where the line does not fall.
    pub fn sigma(&self) -> Option<(f64, f64)> {
        let sigma = (-0.5 / self.slope).sqrt();
        // d sigma / d slope = sigma / (2 |slope|).
        let error = sigma * self.slope_error / (2.0 * self.slope.abs());
        (self.slope < 0.0 && sigma.is_finite()).then_some((sigma, error))
    }
}

/// A number to two digits of its standard error, such as `0.512 +- 0.043`.
pub fn with_error(number: f64, error: f64) -> String {
    let digits = match error > 0.0 {
        true => (1.0 - error.log10().floor()).clamp(0.0, 12.0) as usize,
        false => 6,
    };
    format!("{number:.digits$} +- {error:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(of: impl Fn(f64) -> (f64, f64)) -> Vec<Point> {
        let point = |x: u32| {
            let x = f64::from(x) / 4.0;
            let (y, error) = of(x);
            Point { x, y, error }
        };
        (0..12).map(point).collect()
    }

    #[test]
    fn a_line_is_found_whatever_the_weights() {
        let line = Line::fit(&points(|x| (1.5 - 2.0 * x, 0.1 + x))).unwrap();
        assert!((line.intercept - 1.5).abs() < 1e-12 && (line.slope + 2.0).abs() < 1e-12);
        assert!((line.r_squared - 1.0).abs() < 1e-12);
        let (sigma, _) = line.sigma().unwrap();
        assert!((sigma - 0.5).abs() < 1e-12, "slope = -1 / (2 sigma^2): {sigma}");
        assert!(Line::fit(&points(|x| (x, 1.0))).unwrap().sigma().is_none(), "it rises");
    }

    #[test]
    fn points_of_large_error_weigh_little_and_what_is_not_straight_has_a_larger_error() {
        let bent =
            |error: f64| points(move |x| (-x - if x > 2.0 { 5.0 } else { 0.0 }, if x > 2.0 { error } else { 0.1 }));
        let line = Line::fit(&bent(1e3)).unwrap();
        assert!((line.slope + 1.0).abs() < 1e-3, "{line:?}");
        let line = Line::fit(&bent(0.1)).unwrap();
        let straight = Line::fit(&points(|x| (-x, 0.1))).unwrap();
        assert!(
            line.slope_error > 3.0 * straight.slope_error && line.r_squared < 0.9,
            "{line:?}"
        );
        // 1 / sqrt(sum ((x - mean) / error)^2) of 12 points, 1/4 apart: their squares sum up to 143 / 16.
        assert!((straight.slope_error - 0.1 / (143.0 / 16.0f64).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn two_points_are_no_fit() {
        let points = points(|x| (x, 1.0));
        assert!(Line::fit(&points[..2]).is_none());
        assert!(Line::fit(&[points[3]; 5]).is_none(), "all at one place");
    }

    #[test]
    fn a_number_has_the_digits_that_it_is_known_to() {
        assert_eq!(with_error(0.51234, 0.00432), "0.5123 +- 0.0043");
        assert_eq!(with_error(12.3456, 1.2), "12.3 +- 1.2");
        assert_eq!(with_error(1234.5, 43.0), "1234 +- 43");
    }
}
