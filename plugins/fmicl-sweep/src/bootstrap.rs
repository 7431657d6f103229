//! The paired bootstrap: how sure the difference of two encoders is.
//!
//! Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3 (percentile interval); seeds are drawn as
//! well as test samples, since both were.

use fmicl_core::{Hits, split_mix};

/// Draws of a bootstrap.
const DRAWS: u64 = 1000;

/// A mean difference in %, with the interval that holds it in 95 % of the draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean over seeds and test samples.
    pub mean: f64,
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

/// The difference of two encoders' hits, the second one's taken away from the first one's, a pair for each seed. The draws are the same each time.
/// Nothing without a pair, or where test splits differ.
pub fn difference(pairs: &[(&Hits, &Hits)]) -> Option<Difference> {
    let samples = pairs.first()?.0.0.len();
    let same = |(own, other): &(&Hits, &Hits)| own.0.len() == samples && other.0.len() == samples;
    if samples == 0 || !pairs.iter().all(same) {
        return None;
    }
    // -1, 0 or 1 of each sample, for each seed.
    let of_seed = |(own, other): &(&Hits, &Hits)| -> Vec<i32> {
        let each = own.0.iter().zip(&other.0);
        each.map(|(&own, &other)| i32::from(own) - i32::from(other)).collect()
    };
    let of_seeds: Vec<Vec<i32>> = pairs.iter().map(of_seed).collect();
    let percent = 100.0 / (samples * pairs.len()) as f64;
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|draw| {
            let mut index = 0;
            let mut below = |most: usize| {
                index += 1;
                // High bits times the bound, without division.
                ((u128::from(split_mix(draw, index)) * most as u128) >> 64) as usize
            };
            let mut sums = vec![0; samples];
            for _ in pairs {
                let drawn = &of_seeds[below(pairs.len())];
                sums.iter_mut().zip(drawn).for_each(|(sum, value)| *sum += value);
            }
            let total: i64 = (0..samples).map(|_| i64::from(sums[below(samples)])).sum();
            total as f64 * percent
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (DRAWS - 1) as f64).round() as usize];
    let total: i64 = of_seeds.iter().flatten().map(|&value| i64::from(value)).sum();
    Some(Difference {
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
        let none = Difference {
            mean: 0.0,
            low: 0.0,
            high: 0.0,
        };
        assert_eq!(difference(&[(&own, &own)]), Some(none));
        assert_eq!(difference(&[(&own, &hits(51, 0.5, 1))]), None);
        assert_eq!(difference(&[]), None);
    }
}
