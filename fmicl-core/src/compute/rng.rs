//! SplitMix64: the randomness of views and of the shuffle.
//!
//! Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. It is written here
//! rather than taken from a crate so that no update of a dependency changes what a seed means.

/// A stream of random numbers that is a pure function of the words it is made from.
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 64 random bits: the number at `index`, counted from 0, of the SplitMix64 sequence of `seed`, in constant time.
#[inline]
pub fn split_mix(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_add(1).wrapping_mul(GAMMA)))
}

/// State after another word.
fn next(state: u64, word: u64) -> u64 {
    mix(state.wrapping_add(GAMMA) ^ mix(word.wrapping_add(GAMMA)))
}

/// A word for a name, such as a transform's (FNV-1a, of 64 bits).
pub fn word_of(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

impl Rng {
    /// The stream of `words`, such as seed, epoch, sample and view. Words in another order, or more of them, give
    /// another stream.
    pub fn new(words: &[u64]) -> Self {
        let seeded = mix(words.len() as u64);
        Rng {
            state: words.iter().fold(seeded, |state, &word| next(state, word)),
        }
    }

    /// Stream of this one's words and another one, independent of this one's position: draws from either do not change
    /// the other.
    #[must_use]
    pub fn child(&self, word: u64) -> Rng {
        Rng {
            state: next(self.state, word),
        }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// Uniform on `[low, high)`; `low` itself if the two are equal.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// Uniform on `0..count`; 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        // The high half of a 128-bit product; for any count that fits in memory the bias is below 2^-24.
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform(0.0, 1.0) < p
    }

    /// Shuffles `items` uniformly (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_uniform() {
        let mut rng = Rng::new(&[7]);
        let mut counts = [0usize; 10];
        let mut sum = 0.0;
        for _ in 0..100_000 {
            counts[rng.below(10)] += 1;
            sum += rng.uniform(-1.0, 3.0);
        }
        // Five standard deviations: 95 for a count, 0.0037 for the mean.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 475), "{counts:?}");
        assert!((sum / 100_000.0 - 1.0).abs() < 0.0185, "{}", sum / 100_000.0);
    }

    #[test]
    fn a_sequence_is_the_published_one() {
        // Of java.util.SplittableRandom and of Vigna's splitmix64.c, seed 1234567.
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!([0, 1, 2].map(|index| split_mix(1_234_567, index)), published);
    }

    #[test]
    fn every_word_and_its_place_matter() {
        let first = |words: &[u64]| Rng::new(words).bits();
        let streams = [
            first(&[1, 2]),
            first(&[2, 1]),
            first(&[1, 3]),
            first(&[0, 2]),
            first(&[1, 2, 0]),
            first(&[]),
        ];
        let distinct: std::collections::HashSet<_> = streams.iter().collect();
        assert_eq!(distinct.len(), streams.len());
    }

    #[test]
    fn names_are_told_apart_as_by_the_published_hash() {
        // From the authors' test vectors, draft-eastlake-fnv.
        assert_eq!(word_of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(word_of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(word_of("foobar"), 0x8594_4171_f739_67e8);
        let base = Rng::new(&[1, 2]);
        assert_ne!(base.child(word_of("blur")).bits(), base.child(word_of("crop")).bits());
        assert_ne!(base.child(3).bits(), Rng::new(&[1, 9]).child(3).bits());
    }

    #[test]
    fn neighbouring_streams_are_unrelated() {
        let flips: u32 = (0..1000)
            .map(|i| (Rng::new(&[3, 0, i, 0]).bits() ^ Rng::new(&[3, 0, i + 1, 0]).bits()).count_ones())
            .sum();
        assert!(
            (31_000..33_000).contains(&flips),
            "{flips} of 64000 bits differ, not half"
        );
    }

    #[test]
    fn a_shuffle_reaches_every_order_equally() {
        let mut counts = std::collections::HashMap::new();
        for seed in 0..6000 {
            let mut items = [0, 1, 2];
            Rng::new(&[seed]).shuffle(&mut items);
            *counts.entry(items).or_insert(0usize) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| count.abs_diff(1000) < 150), "{counts:?}");
    }
}
