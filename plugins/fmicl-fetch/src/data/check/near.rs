//! Pairs of hashes that differ in few bits, without comparing all with all: of hashes cut into one band more than bits may
//! differ, two that are near have one band alike.

/// Pairs that are compared within minutes.
const MOST: f64 = 5e10;

/// The most bits, up to 7, in which so many hashes may differ to be compared within minutes: the more bits, the shorter and
/// fuller the bands. At least 0.
pub fn most(samples: usize) -> u32 {
    let pairs = |distance: u32| {
        let bands = f64::from(distance + 1);
        bands * (samples as f64).powi(2) / 2.0 / (64.0 / bands).exp2()
    };
    (0..=7).rev().find(|&distance| pairs(distance) <= MOST).unwrap_or(0)
}

/// Calls `pair` with the places of every two of these different hashes that differ in at most `distance` bits, up to 7.
pub fn pairs(looks: &[u64], distance: u32, mut pair: impl FnMut(usize, usize, u32)) {
    let bands = distance + 1;
    let band = |number: u32| {
        let (start, end) = (64 * number / bands, 64 * (number + 1) / bands);
        match end - start {
            64 => u64::MAX,
            width => ((1 << width) - 1) << start,
        }
    };
    let mut order: Vec<usize> = (0..looks.len()).collect();
    for number in 0..bands {
        let mask = band(number);
        order.sort_unstable_by_key(|&place| looks[place] & mask);
        for group in order.chunk_by(|&one, &other| looks[one] & mask == looks[other] & mask) {
            for (rank, &one) in group.iter().enumerate() {
                for &other in &group[rank + 1..] {
                    let differs = looks[one] ^ looks[other];
                    // In an earlier band they have met already.
                    let met = (0..number).any(|earlier| differs & band(earlier) == 0);
                    if differs.count_ones() <= distance && !met {
                        pair(one, other, differs.count_ones());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn the_more_images_the_fewer_bits_may_differ() {
        assert_eq!(
            [0, 60_000, 1_300_000, 14_000_000, 500_000_000].map(most),
            [7, 7, 7, 3, 1]
        );
        assert!((1..40).all(|power| most(1 << power) <= most(1 << (power - 1))));
    }

    #[test]
    fn every_pair_that_comparing_all_with_all_finds_is_found_once() {
        let mut random = Rng::new(&[3]);
        let mut looks: Vec<u64> = (0..60)
            .map(|_| (random.below(1 << 32) as u64) << 32 | random.below(1 << 32) as u64)
            .collect();
        for place in 0..400 {
            let mut near = looks[place % 60];
            (0..random.below(10)).for_each(|_| near ^= 1 << random.below(64));
            looks.push(near);
        }
        let looks: Vec<u64> = looks.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        for distance in 0..=7 {
            let mut expected = Vec::new();
            for one in 0..looks.len() {
                for other in one + 1..looks.len() {
                    let differs = (looks[one] ^ looks[other]).count_ones();
                    if differs <= distance {
                        expected.push((one, other, differs));
                    }
                }
            }
            let mut found = Vec::new();
            pairs(&looks, distance, |one, other, differs| {
                found.push((one.min(other), one.max(other), differs))
            });
            found.sort_unstable();
            assert_eq!(found, expected, "{distance}");
            assert!(distance == 0 || !found.is_empty());
        }
    }
}
