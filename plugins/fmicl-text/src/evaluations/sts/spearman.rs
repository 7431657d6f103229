//! Spearman's rank correlation.

/// Pearson's correlation of the ranks, where values that are equal share the mean of theirs; from -1 to 1, and NaN where
/// one side has one value alone. The values are finite, and as many on both sides.
///
/// Source: Spearman, 1904; with ties as `scipy.stats.spearmanr`.
pub(crate) fn spearman(x: &[f64], y: &[f64]) -> f64 {
    // Ranks have the mean (n + 1) / 2, whatever the ties.
    let mean = (x.len() as f64 + 1.0) / 2.0;
    let centred = |values| ranks(values).into_iter().map(|rank| rank - mean).collect::<Vec<_>>();
    let (x, y) = (centred(x), centred(y));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
}

/// Ranks from 1, the mean of theirs for values that are equal.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // The ranks start + 1 to start + length.
        let rank = start as f64 + (run.len() as f64 + 1.0) / 2.0;
        run.iter().for_each(|&index| ranks[index] = rank);
        start += run.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(
            ranks(&[2.0, -1.0, 2.0, 7.0, 0.0, -0.0, 2.0]),
            [5.0, 1.0, 5.0, 7.0, 2.5, 2.5, 5.0]
        );
    }

    #[test]
    fn without_ties_it_is_the_formula_of_squared_differences() {
        // 1 - 6 sum d^2 / (n (n^2 - 1)), with d = 0, 1, 1, 2, 2.
        let (x, y) = ([10.0, 20.0, 30.0, 40.0, 50.0], [-3.0, 0.5, 0.1, 9.0, 0.7]);
        let d: f64 = ranks(&x).iter().zip(ranks(&y)).map(|(x, y)| (x - y).powi(2)).sum();
        assert!((spearman(&x, &y) - (1.0 - 6.0 * d / 120.0)).abs() < 1e-15);
        assert!((spearman(&x, &x.map(f64::exp)) - 1.0).abs() < 1e-15);
        assert!((spearman(&x, &x.map(|x| 1.0 / x)) + 1.0).abs() < 1e-15);
    }

    /// `scipy.stats.spearmanr(numbers(..), numbers(..))` of scipy 1.17.1.
    #[test]
    fn with_ties_it_is_that_of_scipy() {
        let numbers = |seed: u64, levels: u64| {
            let number = |i: u64| ((i * i * seed + 3 * i) % levels) as f64;
            (0..50).map(number).collect::<Vec<_>>()
        };
        for (x, y, expected) in [
            (numbers(7, 11), numbers(5, 6), -0.0044591992602336025),
            (numbers(1, 50), numbers(3, 4), -0.06416176055494213),
            (numbers(2, 13), numbers(9, 31), 0.15151328017059978),
        ] {
            let found = spearman(&x, &y);
            assert!((found - expected).abs() < 1e-14, "{found} instead of {expected}");
        }
    }

    #[test]
    fn one_value_alone_correlates_with_nothing() {
        assert!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]).is_nan());
    }
}
