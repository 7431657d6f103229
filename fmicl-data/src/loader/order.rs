//! Which samples an epoch takes, and in which order.

use crate::shares::Shares;
use fmicl_core::{Error, Result, Rng, Samples};
use std::sync::Arc;

/// The order of each epoch: a pure function of seed and epoch.
#[derive(Clone)]
pub struct Order {
    seed: u64,
    len: usize,
    /// None where all are drawn in each epoch.
    shares: Option<Shares>,
    /// The epoch that was asked for last, and its samples.
    last: Option<(u64, Arc<Vec<usize>>)>,
}

impl Order {
    /// All of `len` samples in each epoch.
    pub fn all(seed: u64, len: usize) -> Self {
        Order {
            seed,
            len,
            shares: None,
            last: None,
        }
    }

    /// The samples by their weights.
    ///
    /// # Errors
    /// [`Error::Config`] where all weights are 0.
    pub fn by_weight(seed: u64, samples: &dyn Samples) -> Result<Self> {
        let weights: Vec<f64> = (0..samples.len()).map(|index| samples.weight(index)).collect();
        if weights.iter().all(|&weight| weight == 0.0) {
            return Err(Error::config(format!(
                "the weights of all {} samples are 0, so that none would be drawn",
                weights.len()
            )));
        }
        Ok(Order {
            shares: Shares::of(&weights),
            ..Order::all(seed, samples.len())
        })
    }

    /// The number of samples in an epoch.
    pub fn len(&self) -> usize {
        self.shares.as_ref().map_or(self.len, Shares::drawn)
    }

    /// The samples of an epoch, no one twice. They are kept until another epoch is asked for.
    pub fn of(&mut self, epoch: u64) -> Arc<Vec<usize>> {
        match &self.last {
            Some((of, order)) if *of == epoch => order.clone(),
            _ => {
                let mut rng = Rng::new(&[self.seed, epoch]);
                let mut order: Vec<usize> = (0..self.len).collect();
                rng.shuffle(&mut order);
                if let Some(shares) = &self.shares {
                    shares.draw(&mut order, &mut rng);
                }
                self.last.insert((epoch, Arc::new(order))).1.clone()
            }
        }
    }
}
