//! Histograms of positive and of negative pairs over the squared distance, and the log of their ratio.

use super::fit::Point;
use std::ops::Range;

/// Bins, where there are pairs enough to fill them.
const BINS: usize = 40;
/// Pairs of each kind that a bin must have to be fitted: the log of a smaller number is biased.
const FEWEST: u64 = 5;

/// A bin of the two histograms.
#[derive(Debug, Clone)]
pub struct Bin {
    /// Squared distances, the upper end excluded except in the last bin.
    pub range: Range<f64>,
    /// Positive pairs.
    pub positives: u64,
    /// Negative pairs.
    pub negatives: u64,
    /// Log of the ratio of the densities of positive and negative pairs in the middle of the bin; its error is that of
    /// the two numbers of pairs. Only where both have some.
    pub log_ratio: Option<Point>,
}

impl Bin {
    /// Returns true if there are pairs enough to fit a line.
    pub fn is_fitted(&self) -> bool {
        self.log_ratio.is_some() && self.positives.min(self.negatives) >= FEWEST
    }

    /// The middle.
    pub fn middle(&self) -> f64 {
        (self.range.start + self.range.end) / 2.0
    }
}

/// The histograms over the squared distances that both kinds of pairs have: elsewhere there is no ratio. There are at most
/// 40 bins, and fewer where the positive pairs would leave them empty; none where the kinds have no distance in common.
pub fn histograms(positives: &[f64], negatives: &[f64]) -> Vec<Bin> {
    let (Some(of_positives), Some(of_negatives)) = (ends(positives), ends(negatives)) else {
        return Vec::new();
    };
    let low = of_positives.start.max(of_negatives.start);
    let high = of_positives.end.min(of_negatives.end);
    let within = |distances: &[f64]| {
        distances
            .iter()
            .filter(|&&distance| low <= distance && distance <= high)
            .count()
    };
    let common = within(positives).min(within(negatives));
    if low >= high || common == 0 {
        return Vec::new();
    }
    let bins = ((common as f64).sqrt() as usize).clamp(4, BINS);
    let width = (high - low) / bins as f64;
    let count = |distances: &[f64]| {
        let mut counts = vec![0u64; bins];
        for &distance in distances {
            if low <= distance && distance <= high {
                counts[(((distance - low) / width) as usize).min(bins - 1)] += 1;
            }
        }
        counts
    };
    let totals = (positives.len() as f64).ln() - (negatives.len() as f64).ln();
    let bin = |(index, (positives, negatives)): (usize, (u64, u64))| {
        let end = |index: usize| low + width * index as f64;
        let (p, n) = (positives as f64, negatives as f64);
        let mut bin = Bin {
            range: end(index)..end(index + 1),
            positives,
            negatives,
            log_ratio: None,
        };
        bin.log_ratio = (positives > 0 && negatives > 0).then(|| Point {
            x: bin.middle(),
            y: (p / n).ln() - totals,
            // The variance of the log of a number that is counted is about its inverse.
            error: (p.recip() + n.recip()).sqrt(),
        });
        bin
    };
    let counts = count(positives).into_iter().zip(count(negatives));
    counts.enumerate().map(bin).collect()
}

/// The smallest and the largest.
fn ends(distances: &[f64]) -> Option<Range<f64>> {
    let low = distances.iter().copied().reduce(f64::min)?;
    let high = distances.iter().copied().reduce(f64::max)?;
    Some(low..high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_the_log_of_the_ratio_of_the_densities() {
        // 100 of each kind within 0 to 1, and as many negative pairs beyond, where there are no positive ones.
        let positives: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0).collect();
        let negatives: Vec<f64> = (0..=200).map(|i| f64::from(i) / 100.0).collect();
        let bins = histograms(&positives, &negatives);
        assert_eq!(bins.len(), 10);
        assert_eq!((bins[0].range.start, bins[9].range.end), (0.0, 1.0));
        assert_eq!(bins.iter().map(|bin| bin.positives).sum::<u64>(), 101);
        assert_eq!(bins.iter().map(|bin| bin.negatives).sum::<u64>(), 101);
        for bin in &bins {
            let point = bin.log_ratio.unwrap();
            assert!((point.y - (201.0f64 / 101.0).ln()).abs() < 1e-12, "{bin:?}");
            assert!((point.error - (2.0 / bin.positives as f64).sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn kinds_of_pairs_without_a_distance_in_common_have_no_bins() {
        assert!(histograms(&[0.0, 0.1], &[1.0, 2.0]).is_empty());
        assert!(histograms(&[0.0; 9], &[0.0; 9]).is_empty());
        assert!(histograms(&[], &[1.0]).is_empty());
    }
}
