//! Samples that are drawn by weight.

use fmicl_core::Rng;
use std::sync::Arc;

/// The share of epochs in which each sample is drawn: its weight by the largest one.
#[derive(Clone)]
pub struct Shares(Arc<[u64]>);

/// The share of what is drawn in each epoch. Whole numbers make the count of an epoch exact.
const ALWAYS: u64 = 1 << 32;

impl Shares {
    /// Of these weights, each finite and not negative; nothing where all are the same, so that each sample is drawn in each epoch.
    pub fn of(weights: &[f64]) -> Option<Self> {
        let most = weights.iter().copied().fold(0.0, f64::max);
        if weights.iter().all(|&weight| weight == most) {
            return None;
        }
        // Rounded up, three times a third are one.
        let share = |weight: f64| (weight / most * ALWAYS as f64).ceil() as u64;
        Some(Shares(weights.iter().copied().map(share).collect()))
    }

    fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The number of samples in an epoch.
    pub fn drawn(&self) -> usize {
        (self.total() / ALWAYS) as usize
    }

    /// Leaves [`drawn`](Shares::drawn) of `order`, all samples in the order of an epoch, by systematic sampling: the shares lie end to end in
    /// that order, and a comb with a tooth for each sample to draw is laid over them at a random place. No share is longer than
    /// from tooth to tooth, so that none is drawn twice, and each with the probability of its share (Madow, Annals of Mathematical
    /// Statistics 20, 1949).
    pub fn draw(&self, order: &mut Vec<usize>, rng: &mut Rng) {
        let (teeth, total) = (self.drawn() as u128, u128::from(self.total()));
        let place = rng.below(self.total() as usize) as u128;
        let mut end = 0;
        order.retain(|&sample| {
            let start = end;
            end += u128::from(self.0[sample]);
            (start * teeth + place) / total < (end * teeth + place) / total
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_are_the_same_draw_all() {
        assert!(Shares::of(&[0.3; 5]).is_none() && Shares::of(&[0.0; 5]).is_none() && Shares::of(&[]).is_none());
    }

    #[test]
    fn as_many_are_drawn_as_the_weights_add_up_to() {
        let drawn = |weights: &[f64]| Shares::of(weights).unwrap().drawn();
        assert_eq!(drawn(&[3.0, 1.0, 1.0, 1.0]), 2);
        assert_eq!(drawn(&[1.0, 0.0, 0.0]), 1);
        assert_eq!(drawn(&[1e-300, 5e-301]), 1);
        assert_eq!(drawn(&[1.0, 0.999]), 1);
        assert_eq!(drawn(&[[10.0; 70], [1.0; 70]].concat()), 77);
    }

    #[test]
    fn each_sample_is_drawn_in_the_share_of_epochs_that_its_weight_says_and_never_twice() {
        let weights = [4.0, 1.0, 2.0, 0.0, 3.0, 0.5, 4.0, 1.5];
        let shares = Shares::of(&weights).unwrap();
        let epochs = 4000;
        let mut counts = [0u32; 8];
        for epoch in 0..epochs {
            let mut rng = Rng::new(&[1, epoch]);
            let mut order: Vec<usize> = (0..8).collect();
            rng.shuffle(&mut order);
            let whole = order.clone();
            shares.draw(&mut order, &mut rng);
            assert_eq!(order.len(), 4, "16 / 4 samples");
            let mut rest = whole.into_iter();
            assert!(
                order.iter().all(|sample| rest.any(|other| other == *sample)),
                "another order, or one twice"
            );
            order.iter().for_each(|&sample| counts[sample] += 1);
        }
        for (count, weight) in counts.into_iter().zip(weights) {
            let (found, share) = (f64::from(count) / epochs as f64, weight / 4.0);
            // Four standard deviations of a share of so many draws.
            let deviation = (share * (1.0 - share) / epochs as f64).sqrt();
            assert!((found - share).abs() <= 4.0 * deviation, "{found} and {share}");
        }
    }
}
