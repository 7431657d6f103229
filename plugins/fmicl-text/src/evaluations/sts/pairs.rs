//! Pairs of sentences that people gave scores to.

use super::spearman::spearman;
use fmicl_core::normalize;
use fmicl_core::tch::{Kind, Tensor};

/// Pairs of indices into a pool of sentences, and their scores.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    one: Vec<i64>,
    two: Vec<i64>,
    scores: Vec<f64>,
}

impl Pairs {
    pub fn push(&mut self, one: usize, two: usize, score: f64) {
        self.one.push(one as i64);
        self.two.push(two as i64);
        self.scores.push(score);
    }

    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Spearman's rank correlation of the scores with the cosines of the pairs' features; `features`, `[n, d]`, are those of
    /// the pool, of any length.
    pub fn spearman(&self, features: &Tensor) -> f64 {
        spearman(&self.cosines(features), &self.scores)
    }

    /// The score and the cosine of each pair.
    pub fn points(&self, features: &Tensor) -> Vec<[f64; 2]> {
        let cosines = self.cosines(features).into_iter();
        self.scores
            .iter()
            .zip(cosines)
            .map(|(&score, cosine)| [score, cosine])
            .collect()
    }

    /// The cosines of the pairs' features.
    fn cosines(&self, features: &Tensor) -> Vec<f64> {
        let (one, two) = self.features(features);
        let cosines = (one * two).sum_dim_intlist([1].as_slice(), false, None);
        // One dimension of f64 converts.
        Vec::<f64>::try_from(cosines).unwrap_or_default()
    }

    /// The features of both sides, `[N, d]` each, in f64 and of length 1; zeros stay.
    pub fn features(&self, features: &Tensor) -> (Tensor, Tensor) {
        let take = |indices: &[i64]| {
            let rows = features.index_select(0, &Tensor::from_slice(indices));
            normalize(&rows.to_kind(Kind::Double))
        };
        (take(&self.one), take(&self.two))
    }

    /// The pairs with a score above this one.
    pub fn above(&self, least: f64) -> Pairs {
        let mut above = Pairs::default();
        for (one, two, score) in self.iter().filter(|(.., score)| *score > least) {
            above.push(one, two, score);
        }
        above
    }

    /// Both indices and the score of each pair.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let indices = self.one.iter().zip(&self.two);
        indices
            .zip(&self.scores)
            .map(|((&one, &two), &score)| (one as usize, two as usize, score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_do_not_depend_on_lengths_and_zeros_are_no_trouble() {
        let features = [[3.0f32, 0.0], [1.0, 1.0], [0.0, 0.1], [-5.0, 0.0], [0.0, 0.0]];
        let features = Tensor::from_slice2(&features);
        let mut pairs = Pairs::default();
        // Cosines 0.71, 0, -1 and 0.
        for (two, score) in [(1, 5.0), (2, 2.5), (3, 1.0), (4, 2.5)] {
            pairs.push(0, two, score);
        }
        assert!((pairs.spearman(&features) - 1.0).abs() < 1e-12);
        let points = pairs.points(&features);
        assert!(points[0][0] == 5.0 && (points[0][1] - 0.5f64.sqrt()).abs() < 1e-7 && points[2] == [1.0, -1.0]);
        assert_eq!(pairs.above(2.5).iter().collect::<Vec<_>>(), [(0, 1, 5.0)]);
    }
}
