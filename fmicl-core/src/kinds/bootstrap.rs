//! The bootstrap over test samples: how sure an accuracy is, or the difference of two encoders.
//!
//! Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sections 13.3 (percentile interval) and, for
//! differences, paired samples; seeds are drawn as well as test samples, since both were.

use super::hits::Hits;
use crate::split_mix;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Draws of a bootstrap.
const DRAWS: u64 = 1000;

/// A mean in %, with the interval that holds it in 95 % of the draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean over seeds and test samples.
    pub mean: f64,
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Interval {
    /// Returns true if 0 lies outside: the sign of a difference is told.
    pub fn is_distinguishable(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

impl fmt::Display for Interval {
    /// `+1.2 [+0.4, +2.0]`, a difference.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:+.1} [{:+.1}, {:+.1}]", self.mean, self.low, self.high)
    }
}

/// The difference of two encoders' hits, the second one's taken away from the first one's, a pair for each seed. The draws are
/// the same each time. Nothing without a pair, or where test splits differ.
pub fn difference(pairs: &[(&Hits, &Hits)]) -> Option<Interval> {
    let samples = pairs.first()?.0.0.len();
    let same = |(own, other): &(&Hits, &Hits)| own.0.len() == samples && other.0.len() == samples;
    if !pairs.iter().all(same) {
        return None;
    }
    // -1, 0 or 1 of each sample, for each seed.
    let of_seed = |(own, other): &(&Hits, &Hits)| -> Vec<i32> {
        let each = own.0.iter().zip(&other.0);
        each.map(|(&own, &other)| i32::from(own) - i32::from(other)).collect()
    };
    of_values(&pairs.iter().map(of_seed).collect::<Vec<_>>())
}

/// The share of hits. Nothing without samples.
pub fn interval(hits: &Hits) -> Option<Interval> {
    of_values(&[hits.0.iter().map(|&hit| i32::from(hit)).collect()])
}

/// The mean of values of the same samples, of each seed.
fn of_values(of_seeds: &[Vec<i32>]) -> Option<Interval> {
    let (seeds, samples) = (of_seeds.len(), of_seeds.first()?.len());
    if samples == 0 {
        return None;
    }
    let percent = 100.0 / (samples * seeds) as f64;
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|draw| {
            let mut index = 0;
            let mut below = |most: usize| {
                index += 1;
                // High bits times the bound, without division.
                ((u128::from(split_mix(draw, index)) * most as u128) >> 64) as usize
            };
            let mut sums = vec![0; samples];
            for _ in 0..seeds {
                let drawn = &of_seeds[below(seeds)];
                sums.iter_mut().zip(drawn).for_each(|(sum, value)| *sum += value);
            }
            let total: i64 = (0..samples).map(|_| i64::from(sums[below(samples)])).sum();
            total as f64 * percent
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (DRAWS - 1) as f64).round() as usize];
    let total: i64 = of_seeds.iter().flatten().map(|&value| i64::from(value)).sum();
    Some(Interval {
        mean: total as f64 * percent,
        low: at(0.025),
        high: at(0.975),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A share of hits, spread over so many samples by a hash.
    fn hits(samples: u64, share: f64, seed: u64) -> Hits {
        let below = (share * u64::MAX as f64) as u64;
        Hits((0..samples).map(|sample| split_mix(seed, sample) < below).collect())
    }

    #[test]
    fn the_interval_of_one_seed_is_as_wide_as_that_of_a_normal_distribution() {
        let (own, other) = (hits(4000, 0.7, 1), hits(4000, 0.6, 2));
        let found = difference(&[(&own, &other)]).unwrap();
        let each = own.0.iter().zip(&other.0);
        let values: Vec<f64> = each.map(|(&a, &b)| f64::from(a) - f64::from(b)).collect();
        let mean = values.iter().sum::<f64>() / 4000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4000.0;
        let half = 196.0 * (variance / 4000.0).sqrt();
        assert!((found.mean - 100.0 * mean).abs() < 1e-9);
        for off in [found.high - found.mean - half, found.mean - found.low - half] {
            assert!(off.abs() < 0.12 * half, "{found:?}, {half}");
        }
    }

    #[test]
    fn seeds_that_disagree_make_it_wide() {
        let (good, bad, other) = (hits(4000, 0.8, 1), hits(4000, 0.4, 2), hits(4000, 0.6, 3));
        let agree = difference(&[(&good, &other), (&good, &other)]).unwrap();
        let disagree = difference(&[(&good, &other), (&bad, &other)]).unwrap();
        assert!(agree.low > 15.0, "{agree:?}");
        assert!(disagree.low < -15.0 && disagree.high > 15.0, "{disagree:?}");
    }

    #[test]
    fn an_encoder_does_not_differ_from_itself_and_not_over_other_samples() {
        let own = hits(50, 0.5, 1);
        let none = Interval {
            mean: 0.0,
            low: 0.0,
            high: 0.0,
        };
        assert_eq!(difference(&[(&own, &own)]), Some(none));
        assert_eq!(difference(&[(&own, &hits(51, 0.5, 1))]), None);
        assert_eq!(difference(&[]), None);
    }

    #[test]
    fn the_interval_of_a_share_is_that_of_a_binomial() {
        let own = hits(4000, 0.7, 1);
        let found = interval(&own).unwrap();
        let share = own.0.iter().filter(|&&hit| hit).count() as f64 / 4000.0;
        let half = 196.0 * (share * (1.0 - share) / 4000.0).sqrt();
        assert!((found.mean - 100.0 * share).abs() < 1e-9);
        for off in [found.high - found.mean - half, found.mean - found.low - half] {
            assert!(off.abs() < 0.12 * half, "{found:?}, {half}");
        }
        assert_eq!(interval(&Hits(vec![])), None);
    }

    #[test]
    fn a_difference_is_told_where_0_lies_outside() {
        let of = |low, high| Interval { mean: 0.5, low, high };
        let told = [of(0.1, 0.9), of(-0.1, 1.1), of(-2.0, -0.1), of(0.0, 0.0)].map(|it| it.is_distinguishable());
        assert_eq!(told, [true, false, true, false]);
        assert_eq!(of(-0.12, 1.16).to_string(), "+0.5 [-0.1, +1.2]");
    }
}
