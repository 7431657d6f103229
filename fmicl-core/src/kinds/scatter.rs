//! Points of two numbers behind a metric, such as people's scores and cosines.

use serde::{Deserialize, Serialize};

/// The most points that are kept.
const MOST: usize = 2_000;
/// Decimals that are kept.
const DECIMALS: f64 = 1e4;

/// Points behind a metric, for a plot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scatter {
    /// Description of the points, in a few words.
    pub of: String,
    /// Name of the first number.
    pub x: String,
    /// Name of the second one.
    pub y: String,
    /// The points, with four decimals; of more than 2,000, so many that are evenly spread.
    pub points: Vec<[f64; 2]>,
}

impl Scatter {
    /// The points of two numbers each, in an order of their own; those that are not finite are left out.
    pub fn new(of: &str, [x, y]: [&str; 2], points: &[[f64; 2]]) -> Self {
        let count = points.len().min(MOST);
        let spread = (0..count).map(|index| points[index * points.len() / count]);
        let finite = spread.filter(|point| point.iter().all(|number| number.is_finite()));
        Scatter {
            of: of.into(),
            x: x.into(),
            y: y.into(),
            points: finite
                .map(|point| point.map(|number| (number * DECIMALS).round() / DECIMALS))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_few_finite_and_short() {
        let points: Vec<_> = (0..5000).map(|index| [f64::from(index), 1.0 / 3.0]).collect();
        let scatter = Scatter::new("pairs", ["score", "cosine"], &points);
        assert_eq!((scatter.points.len(), scatter.points[1]), (2000, [2.0, 0.3333]));
        let scatter = Scatter::new("pairs", ["score", "cosine"], &[[1.0, f64::NAN], [2.0, 0.5]]);
        assert_eq!(scatter.points, [[2.0, 0.5]]);
    }
}
